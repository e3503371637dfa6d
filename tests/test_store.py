"""The contract of the store, its rows: every test runs on all backends."""

import math
import threading
import time

import numpy as np
import pytest

from playground.errors import LeaseLost, NotAllowed, NotFound
from playground.records import Controls, Event, Point, Progress, Run, RunStatus
from playground.spec import Experiment, changed
from playground.spec.orders import Rewind, SetBatchSize, SetEpochs, SetRate, Step
from playground.store import LeaseWatch, Store

SMALL = Experiment(name="moons")
LARGE = Experiment.model_validate({"name": "digits", "data": {"kind": "digits"}})
NOWHERE = ["", "../etc/passwd", "%2e%2e%2fetc", "/etc/passwd", "a;b", "a#b?c", "' OR 1=1 --"]


def start(store: Store, **options) -> tuple[Run, str]:
    """A run in the hands of a worker, and its lease."""
    claimed = store.claim("worker", run_id=store.create_run(SMALL, **options).id)
    assert claimed is not None
    return claimed


def over(store: Store, event: Event = Event.FINISH) -> Run:
    run, lease = start(store)
    return store.apply(run.id, lease, event)


def claims(store: Store, **options) -> list[str]:
    """The ids that the queue gives, in its order."""
    taken = []
    while claimed := store.claim("worker", **options):
        taken.append(claimed[0].id)
    return taken


# Experiments


def test_a_draft_changes(store):
    id = store.new_draft(SMALL)
    assert store.draft(id) == SMALL
    store.save_draft(id, LARGE)
    assert store.draft(id) == LARGE
    assert len({store.new_draft(SMALL) for _ in range(20)} | {id}) == 21


def test_a_shared_experiment_stays(store):
    id = store.share(SMALL)
    assert store.share(SMALL) == id
    assert store.share(changed(SMALL, name="another")) != id
    assert store.shared(id) == SMALL


@pytest.mark.parametrize("id", NOWHERE)
def test_what_is_not_there(store, id):
    for ask in (
        store.draft,
        store.shared,
        store.run,
        store.delete_run,
        store.resume,
        store.request,
        store.read_checkpoint,
    ):
        with pytest.raises(NotFound):
            ask(id)
    with pytest.raises(NotFound):
        store.save_draft(id, SMALL)
    with pytest.raises(NotFound):
        store.read_arrays(id, "predictions")
    with pytest.raises(NotFound):
        store.write_arrays(id, "predictions", {"x": np.ones(3)})
    with pytest.raises(LeaseLost):
        store.report(id, "lease", Progress())
    assert store.points(id) == ([], 0)
    assert store.live(id, "surface") is None
    assert store.queue_position(id) is None
    assert list(store.artifacts.iterdir()) == []


def test_plans_are_remembered(store):
    assert store.plan("key") is None
    store.save_plan("key", ((0, "plain"),))
    store.save_plan("key", ((0, "plain"), (4096, "xla")))
    assert store.plan("key") == ((0, "plain"), (4096, "xla"))


# Runs, seen by people


def test_a_new_run_waits(store):
    run = store.create_run(LARGE, owner="ada", draft="d1")
    assert run == store.run(run.id)
    assert (run.experiment, run.status, run.owner, run.draft) == (LARGE, RunStatus.QUEUED, "ada", "d1")
    assert (run.started, run.ended, run.attempt, run.progress) == (None, None, 0, Progress())
    assert int(run.id, 16) >= 0
    assert len(run.id) == 32


def test_runs_come_newest_first(store):
    ada = [store.create_run(SMALL, owner="ada", draft="d1").id for _ in range(3)]
    bob = store.create_run(SMALL, owner="bob").id
    store.claim("worker", run_id=ada[1])
    assert [run.id for run in store.runs()] == [bob, *reversed(ada)]
    assert [run.id for run in store.runs(limit=2)] == [bob, ada[2]]
    assert [run.id for run in store.runs(owner="ada", statuses=[RunStatus.QUEUED])] == [ada[2], ada[0]]
    assert [run.id for run in store.runs(draft="d1", statuses={RunStatus.RUNNING})] == [ada[1]]
    assert store.runs(owner="nobody") == []


def test_delete_only_what_is_over(store):
    run = store.create_run(SMALL)
    with pytest.raises(NotAllowed, match="queued"):
        store.delete_run(run.id)
    _, lease = store.claim("worker", run_id=run.id)
    store.report(run.id, lease, Progress(), points=[Point(1, 0.1, "chunk", {})], live={"surface": (1, b"x")})
    store.write_checkpoint(run.id, 1, {"w": np.ones(3)}, {})
    with pytest.raises(NotAllowed, match="running"):
        store.delete_run(run.id)
    store.apply(run.id, lease, Event.STOP)
    store.delete_run(run.id)
    with pytest.raises(NotFound):
        store.run(run.id)
    assert store.points(run.id) == ([], 0)
    assert not (store.artifacts / run.id).exists()


def test_stop_a_queued_run_at_once(store):
    run = store.create_run(SMALL)
    stopped = store.request(run.id, stop=True)
    assert stopped.status is RunStatus.STOPPED
    assert stopped.ended >= stopped.created
    assert store.claim("worker") is None
    assert store.request(run.id, stop=True) == stopped  # pressed twice


def test_controls_reach_the_worker(store):
    run, _ = start(store)
    assert store.controls(run.id) == Controls()
    assert store.request(run.id, pause=True).controls == Controls(pause=True)
    assert store.controls(run.id) == Controls(pause=True)
    store.request(run.id, stop=True)
    assert store.controls(run.id) == Controls(stop=True, pause=True)
    assert store.run(run.id).status is RunStatus.RUNNING


@pytest.mark.parametrize("event", [Event.FINISH, Event.FAIL, Event.STOP, Event.LOSE])
def test_resume_goes_to_the_head(store, event):
    run = over(store, event)
    waiting = store.create_run(SMALL)
    longer = changed(SMALL, training=changed(SMALL.training, epochs=99))
    resumed = store.resume(run.id, longer)
    assert (resumed.status, resumed.experiment, resumed.ended) == (RunStatus.QUEUED, longer, None)
    assert (store.queue_position(run.id), store.queue_position(waiting.id)) == (1, 2)
    with pytest.raises(NotAllowed):
        store.resume(run.id)
    claimed, _ = store.claim("worker")
    assert (claimed.id, claimed.attempt, claimed.controls) == (run.id, 2, Controls())


def test_a_long_pause_gives_up_the_slot(store):
    run, lease = start(store)
    store.request(run.id, pause=True)
    store.apply(run.id, lease, Event.PAUSE)
    assert store.apply(run.id, lease, Event.YIELD).status is RunStatus.QUEUED
    other = store.create_run(SMALL)
    assert store.queue_position(run.id) is None
    assert store.queue_position(other.id) == 1
    assert store.resume(run.id).status is RunStatus.QUEUED
    assert store.queue_position(run.id) == 1
    assert claims(store) == [run.id, other.id]


def test_a_short_pause_goes_on_in_its_slot(store):
    run, lease = start(store)
    store.request(run.id, pause=True)
    store.apply(run.id, lease, Event.PAUSE)
    assert store.resume(run.id).status is RunStatus.PAUSED  # until the worker reads it
    assert store.controls(run.id) == Controls()
    assert store.apply(run.id, lease, Event.CONTINUE).status is RunStatus.RUNNING


# The queue


def test_the_oldest_goes_first(store):
    ids = [store.create_run(SMALL).id for _ in range(5)]
    assert [store.queue_position(id) for id in ids] == [1, 2, 3, 4, 5]
    assert claims(store) == ids
    assert store.queue_position(ids[0]) is None


def test_nobody_waits_behind_all_runs_of_another(store):
    ada = [store.create_run(SMALL, owner="ada").id for _ in range(3)]
    bob = [store.create_run(SMALL, owner="bob").id for _ in range(2)]
    order = [ada[0], bob[0], ada[1], bob[1], ada[2]]
    assert sorted(ada + bob, key=store.queue_position) == order
    assert claims(store) == order


def test_who_has_fewest_live_runs_goes_first(store):
    start(store, owner="ada")
    ada, bob = store.create_run(SMALL, owner="ada").id, store.create_run(SMALL, owner="bob").id
    assert claims(store) == [bob, ada]


def test_small_and_large_runs_have_their_own_slots(store):
    large, small = store.create_run(LARGE).id, store.create_run(SMALL).id
    assert claims(store, small=True) == [small]
    assert claims(store, small=True) == []
    assert claims(store, small=False) == [large]


def test_a_run_held_back_is_claimed_by_its_id(store):
    run = store.create_run(SMALL, held=True)
    assert store.claim("worker") is None
    claimed, _ = store.claim("worker", run_id=run.id)
    assert claimed.controls == Controls()
    assert store.claim("worker", run_id=run.id) is None


# Runs, seen by workers


def test_the_life_of_a_run(store):
    run, lease = start(store)
    assert (run.status, run.attempt) == (RunStatus.RUNNING, 1)
    assert run.started >= run.created
    progress = Progress(
        step=64, total_steps=100, epoch=1.5, examples_per_second=9e4, seconds_left=0.5, phase="training"
    )
    store.report(run.id, lease, progress, plan=((0, "plain"),))
    assert store.run(run.id).progress == progress
    store.apply(run.id, lease, Event.PAUSE, message="Paused.", facts={"device": "CPU"})
    store.apply(run.id, lease, Event.CONTINUE)
    done = store.apply(run.id, lease, Event.FINISH, scores={"loss": math.inf}, facts={"seconds": {"train": 1.5}})
    assert done == store.run(run.id)
    assert (done.status, done.message, done.plan) == (RunStatus.DONE, "", ((0, "plain"),))
    assert (done.scores, done.facts) == ({"loss": math.inf}, {"device": "CPU", "seconds": {"train": 1.5}})
    assert done.ended >= done.started
    assert (done.progress.step, done.progress.phase, done.progress.seconds_left) == (64, "", None)


def test_only_the_holder_writes(store):
    run, lease = start(store)
    writes = [
        lambda lease: store.report(run.id, lease, Progress(step=7), points=[Point(7, 1.0, "epoch", {})]),
        lambda lease: store.apply(run.id, lease, Event.FINISH),
        lambda lease: store.rewind(run.id, lease, 0),
    ]
    for write in writes:
        for wrong in ("", "another"):
            with pytest.raises(LeaseLost):
                write(wrong)
    with pytest.raises(LeaseLost):
        store.write_arrays(run.id, "predictions", {"x": np.ones(3)}, lease="another")
    assert store.run(run.id) == run
    assert store.points(run.id) == ([], 0)
    store.lose(run.id, lease, "Its worker is gone.")
    for write in writes:
        with pytest.raises(LeaseLost):
            write(lease)


def test_an_event_that_cannot_happen_changes_nothing(store):
    run, lease = start(store)
    with pytest.raises(NotAllowed):
        store.apply(run.id, lease, Event.CONTINUE, message="no", scores={"loss": 1.0})
    assert store.run(run.id) == run


def test_lose_only_the_lease_that_was_lost(store):
    run, lease = start(store)
    assert store.lose(run.id, "another", "gone") is None
    lost = store.lose(run.id, lease, "Interrupted at epoch 3.")
    assert (lost.status, lost.message) == (RunStatus.INTERRUPTED, "Interrupted at epoch 3.")
    assert store.lose(run.id, None, "again") is None
    store.resume(run.id)
    _, fresh = store.claim("worker")
    assert fresh != lease
    assert store.lose(run.id, lease, "late") is None
    assert store.lose(run.id, None, "whoever").status is RunStatus.INTERRUPTED


def test_points_keep_every_number(store):
    run, lease = start(store)
    values = {"loss": math.nan, "val_loss": math.inf, "low": -math.inf, "tiny": 5e-324, "accuracy": 0.1 + 0.2}
    store.report(run.id, lease, Progress(), points=[Point(1, 0.5, "chunk", values), Point(2, 1.0, "epoch", {})])
    points, last = store.points(run.id)
    assert (last, points[1]) == (2, Point(2, 1.0, "epoch", {}))
    assert math.isnan(points[0].values.pop("loss"))
    assert points[0].values == {name: value for name, value in values.items() if name != "loss"}
    store.report(run.id, lease, Progress(), points=[Point(3, 1.5, "chunk", {})])
    assert store.points(run.id, after=last) == ([Point(3, 1.5, "chunk", {})], 3)
    assert store.points(run.id, after=3) == ([], 3)


def test_rewind_forgets_what_is_passed_again(store):
    run, lease = start(store)
    store.report(run.id, lease, Progress(), points=[Point(step, step / 10, "chunk", {}) for step in (10, 20, 30)])
    store.rewind(run.id, lease, 20)
    store.report(run.id, lease, Progress(), points=[Point(25, 2.5, "chunk", {})])
    points, last = store.points(run.id)
    assert [point.step for point in points] == [10, 20, 25]
    assert store.points(run.id, after=3) == (points[-1:], last)  # who had read all three misses nothing


def test_only_the_newest_picture_is_kept(store):
    run, lease = start(store)
    assert store.live(run.id, "surface") is None
    store.report(run.id, lease, Progress(), live={"surface": (1, b"\x00one"), "filters": (1, b"f")})
    store.report(run.id, lease, Progress(), live={"surface": (2, b"\xfftwo")})
    assert store.live(run.id, "surface") == (2, b"\xfftwo")
    assert store.live(run.id, "filters") == (1, b"f")


def test_a_watch_finds_silent_workers(store):
    clock = iter((0.0, 4.0, 9.0, 10.0, 11.0, 12.0))
    watch = LeaseWatch(store, 10, clock=lambda: next(clock))
    (silent, lease), (lively, its_lease) = start(store), start(store)
    assert watch.lost() == {}
    for _ in range(2):
        store.report(lively.id, its_lease, Progress())
        assert watch.lost() == {}
    assert watch.lost() == {silent.id: lease}
    assert (watch.has_moved(its_lease), watch.has_moved(lease)) == (True, False)
    store.lose(silent.id, lease, "gone")
    assert watch.lost() == {}
    store.resume(silent.id)
    _, its_lease = store.claim("worker")
    assert watch.lost() == {}  # a new lease begins anew
    assert not watch.has_moved(its_lease)


def test_a_clock_set_back_gives_no_negative_times(store, monkeypatch):
    run, lease = start(store)
    monkeypatch.setattr(time, "time", lambda: run.started - 600)
    assert store.apply(run.id, lease, Event.FINISH).ended >= run.started


def test_threads_share_a_store(store):
    run, lease = start(store)
    failures = []

    def work(n: int) -> None:
        try:
            for i in range(10):
                store.report(run.id, lease, Progress(step=i), points=[Point(i, 0.0, "chunk", {})] * 2)
                store.points(run.id, after=n)
                store.runs()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    points, last = store.points(run.id)
    assert (len(points), last) == (160, 160)


# Orders


def test_an_order_is_kept_until_it_is_obeyed_and_after(store):
    run, lease = start(store)
    first = store.order(run.id, SetRate(learning_rate=0.1), owner="ada")
    second = store.order(run.id, SetEpochs(epochs=7), owner="bob")
    assert (first.number, second.number) == (1, 2)
    assert store.controls(run.id) == store.run(run.id).controls == Controls(orders=2)
    assert store.orders(run.id) == [first, second]
    store.obeyed(run.id, lease, 1, 40)
    store.obeyed(run.id, lease, 2, 41, "Too few.")
    assert [(o.order.kind, o.owner, o.step, o.refusal) for o in store.orders(run.id)] == [
        ("rate", "ada", 40, ""),
        ("epochs", "bob", 41, "Too few."),
    ]
    assert [order.number for order in store.orders(run.id, after=1)] == [2]
    with pytest.raises(LeaseLost):
        store.obeyed(run.id, "another lease", 2, 50)


def test_a_run_that_is_over_takes_no_orders(store):
    run = over(store)
    with pytest.raises(NotAllowed, match="Resume it first"):
        store.order(run.id, SetEpochs(epochs=7))
    with pytest.raises(NotFound):
        store.order("nobody", SetEpochs(epochs=7))
    with pytest.raises(NotFound):
        store.controls("nobody")


def test_what_was_ordered_too_late_is_said_to_be_so(store):
    run, lease = start(store)
    store.order(run.id, SetEpochs(epochs=7))
    store.apply(run.id, lease, Event.FINISH)
    store.resume(run.id)
    (late,) = store.orders(run.id)
    assert late.step is None
    assert late.refusal == "The run ended first."


def test_a_paused_run_gets_a_worker_only_for_an_order(store):
    run = store.create_run(SMALL, held=True)
    assert claims(store) == []
    store.order(run.id, Step(unit="batch"))
    (claimed, lease) = store.claim("worker")
    assert (claimed.id, claimed.controls.pause) == (run.id, True)
    store.obeyed(run.id, lease, 1, 1)
    store.apply(run.id, lease, Event.PAUSE)
    store.apply(run.id, lease, Event.YIELD)
    assert claims(store) == []
    store.request(run.id, pause=False)
    assert claims(store) == [run.id]


def test_an_order_for_later_does_not_ask_for_a_worker_again(store):
    run = store.create_run(SMALL, held=True)
    store.order(run.id, SetBatchSize(batch_size=8))
    _, lease = store.claim("worker")
    store.obeyed(run.id, lease, 1, None)
    store.apply(run.id, lease, Event.PAUSE)
    store.apply(run.id, lease, Event.YIELD)
    assert claims(store) == []
    assert store.orders(run.id)[0].step is None


def test_a_run_that_is_over_may_wait_for_an_order(store):
    run = over(store)
    assert store.resume(run.id, paused=True).status is RunStatus.QUEUED
    assert claims(store) == []
    store.order(run.id, Rewind(epoch=0))
    assert claims(store) == [run.id]
