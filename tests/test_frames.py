"""Frames: what those hear who follow a run, as bytes."""

import json
import math
import struct
from contextlib import closing
from dataclasses import replace

import pytest

from playground.displays import orders
from playground.displays.frames import MOST_ORDERS, MOST_POINTS, Moment, progress_in_words, since, thinned
from playground.errors import NotFound
from playground.lab.watching import Watching
from playground.records import Controls, Event, Ordered, Point, Progress, Run, RunStatus
from playground.spec.orders import ORDERS, Freeze, Rewind, SetBatchSize, SetRate, Step
from playground.store import open_store
from tests.desk import experiment_of
from tests.runs import points_of, run_in

NOW = Progress(step=60, total_steps=100, epoch=6.0, examples_per_second=50.0, seconds_left=4.0, phase="training")
RUN = Run("r", experiment_of("iris"), RunStatus.RUNNING, 0.0, progress=NOW)


@pytest.fixture
def store(settings):
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield store


def unpacked(frame: bytes) -> tuple[dict, list[bytes]]:
    """The header and its payloads, as a browser reads them."""
    (length,) = struct.unpack_from("<I", frame)
    header, at = json.loads(frame[4 : 4 + length], parse_constant=pytest.fail), 4 + length
    payloads = []
    for picture in header["pictures"]:
        payloads.append(frame[at : at + picture["bytes"]])
        at += picture["bytes"]
    assert at == len(frame)
    return header, payloads


class TestWhole:
    def test_has_all(self):
        moment = Moment(RUN, points_of(6), pictures={"network": (60, b"\0picture"), "samples": (50, b"")})
        header, payloads = unpacked(moment.whole)
        assert header["whole"]
        assert header["run"] | {"epochs": 10, "status": "running", "step": 60, "phase": "training"} == header["run"]
        assert header["points"][1] == [20, 2, "epoch", points_of(2)[1].values]
        assert [tuple(picture.values()) for picture in header["pictures"]] == [("network", 60, 8), ("samples", 50, 0)]
        assert payloads == [b"\0picture", b""]

    def test_what_is_no_number_is_null(self):
        values = {"loss": math.nan, "accuracy": math.inf, "val_loss": -math.inf}
        progress = replace(NOW, examples_per_second=math.inf, seconds_left=math.nan, rate=math.nan, gpu=math.nan)
        header, _ = unpacked(Moment(replace(RUN, progress=progress), [Point(1, 0.5, "chunk", values)]).whole)
        assert header["points"] == [[1, 0.5, "chunk", dict.fromkeys(values)]]
        assert [header["run"][name] for name in ("examples_per_second", "seconds_left", "rate", "gpu")] == [None] * 4

    def test_numbers_take_no_more_room_than_they_need(self):
        header, _ = unpacked(Moment(RUN, [Point(1, 1 / 3, "chunk", {"loss": 2 / 3})]).whole)
        assert header["points"] == [[1, 0.333333, "chunk", {"loss": 0.666667}]]

    def test_the_newest_orders_in_words(self):
        given = tuple(Ordered(n, SetRate(learning_rate=0.01 * n), "me", 0.0) for n in range(1, 12))
        header, _ = unpacked(Moment(RUN, ordered=given).whole)
        assert [order["number"] for order in header["run"]["orders"]] == list(range(12 - MOST_ORDERS, 12))
        assert header["run"]["orders"][-1]["says"] == "Learning rate 0.11"

    def test_every_order_can_be_said(self):
        for kind in ORDERS:
            assert orders.says(Ordered(1, kind(), "", 0.0))


class TestNews:
    before = Moment(RUN, points_of(4), pictures={"network": (40, b"old"), "samples": (40, b"same")})

    def test_nothing(self):
        assert self.before.news(self.before) is None
        assert replace(self.before).news(self.before) is None

    def test_points(self):
        header, payloads = unpacked(replace(self.before, points=points_of(6)).news(self.before))
        assert not header["whole"]
        assert [point[0] for point in header["points"]] == [50, 60]
        assert payloads == []

    def test_pictures(self):
        # The step may be the same: a weight was changed while the run paused.
        now = replace(self.before, pictures={"network": (40, b"new"), "samples": (40, b"same")})
        header, payloads = unpacked(now.news(self.before))
        assert (header["points"], payloads) == ([], [b"new"])

    def test_the_run(self):
        for change in ({"controls": Controls(pause=True)}, {"status": RunStatus.DONE}, {"message": "Late."}):
            assert unpacked(replace(self.before, run=replace(RUN, **change)).news(self.before))

    def test_an_order_that_took_effect(self):
        given = Ordered(1, SetRate(learning_rate=0.5), "me", 0.0)
        asked = replace(self.before, ordered=(given,))
        header, _ = unpacked(replace(asked, ordered=(replace(given, step=30),)).news(asked))
        assert header["run"]["orders"][0]["step"] == 30

    def test_all_where_the_points_began_anew(self):
        now = replace(self.before, points=points_of(2), course=1)
        header, _ = unpacked(now.news(self.before))
        assert header["whole"]
        assert len(header["points"]) == 2

    def test_a_decision_comes_after_its_last_chunk(self):
        chunk, decision = Point(10, 1.0, "chunk", {}), Point(10, 1.0, "epoch", {})
        assert list(since([chunk, decision], [chunk])) == [decision]
        assert list(since([chunk, decision], [chunk, decision])) == []


class TestThinning:
    def test_few_stay(self):
        assert thinned(points_of(5)) == points_of(5)

    @pytest.mark.parametrize("every", [1, 2, 50, 10_001])
    def test_many_become_few_of_both_kinds(self, every):
        points = [Point(n, n / 100, "epoch" if n % every == 0 else "chunk", {"loss": 1.0}) for n in range(1, 10_001)]
        few = thinned(points)
        assert len(few) <= MOST_POINTS + 1
        assert len(few) > 0.9 * MOST_POINTS
        assert (few[0], few[-1]) == (points[0], points[-1])
        assert [point.step for point in few] == sorted({point.step for point in few})
        assert {point.kind for point in few} == {point.kind for point in points}

    def test_the_best_stays(self):
        losses = [abs(n - 4_321.5) + 0.5 * (n == 4_321) for n in range(9_000)]
        points = [Point(n, float(n), "epoch", {"val_loss": loss}) for n, loss in enumerate(losses)]
        assert points[4_322] in thinned(points)

    def test_without_a_finite_validation_loss(self):
        points = [Point(n, float(n), "epoch", {"val_loss": math.nan}) for n in range(9_000)]
        assert len(thinned(points)) > 0.9 * MOST_POINTS


class TestMarks:
    points = points_of(10)

    def order(self, spec, step, refusal="") -> Ordered:
        return Ordered(1, spec, "", 0.0, step, refusal)

    def test_where_orders_took_effect(self):
        given = [self.order(SetRate(learning_rate=0.1), 25), self.order(SetBatchSize(batch_size=64), 50)]
        assert orders.marks(given, self.points, 100) == ((2.5, "Learning rate 0.1"), (5.0, "Batches of 64"))

    def test_only_what_changes_the_course(self):
        given = [self.order(Step(), 10), self.order(Freeze(), None), self.order(Freeze(), 10, "No such layer.")]
        assert orders.marks([*given, self.order(Rewind(), 0)], self.points, 100) == ()

    def test_what_was_taken_back_by_a_rewind(self):
        assert orders.marks([self.order(SetRate(), 80)], self.points, 40) == ()


class TestFollowing:
    """The moments of a run in a store."""

    def test_points_pass_again_after_a_rewind(self, store):
        run = store.create_run(experiment_of("iris"))
        _, lease = store.claim("a test", run_id=run.id)
        store.report(run.id, lease, Progress(60, 100, 6.0, phase="training"), points=points_of(6))
        watching = Watching(store, run.id)
        before = watching.follow(0)
        store.rewind(run.id, lease, 20)
        store.report(run.id, lease, Progress(20, 100, 2.0, phase="training"))
        back = watching.follow(0)
        header, _ = unpacked(back.news(before))
        assert header["whole"]
        assert [point[0] for point in header["points"]] == [10, 20]
        assert len(watching.look(0).curves.train["loss"][0]) == 2
        store.report(run.id, lease, Progress(25, 100, 2.5, phase="training"), points=[Point(25, 2.5, "chunk", {})])
        header, _ = unpacked(watching.follow(0).news(back))
        assert (header["whole"], [point[0] for point in header["points"]]) == (False, [25])

    def test_points_at_one_step_that_come_one_after_the_other(self, store):
        run = store.create_run(experiment_of("iris"))
        _, lease = store.claim("a test", run_id=run.id)
        watching = Watching(store, run.id)
        progress, heard = Progress(10, 100, 1.0, phase="training"), []
        before = watching.follow(0)
        for kind in ("chunk", "epoch"):
            store.report(run.id, lease, progress, points=[Point(10, 1.0, kind, {"loss": 1.0})])
            now = watching.follow(0)
            heard += [point[2] for point in unpacked(now.news(before))[0]["points"]]
            before = now
        assert heard == ["chunk", "epoch"]

    def test_thousands_of_points_stay_few(self, store):
        run = store.create_run(experiment_of("iris"))
        _, lease = store.claim("a test", run_id=run.id)
        watching, step = Watching(store, run.id), 0
        for _ in range(5):
            points = [Point(step := step + 1, step / 10, "chunk", {"loss": 1.0}) for _ in range(900)]
            store.report(run.id, lease, Progress(step, 10_000, phase="training"), points=points)
            now = watching.follow(0)
            assert len(now.points) <= MOST_POINTS
            assert now.points[-1].step == step
        assert len(watching.look(0).curves.live["loss"][0]) == 4_500

    def test_a_list_of_runs_keeps_no_points(self, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        watching = Watching(store, run.id)
        watching.look()
        assert watching._points is None
        assert len(watching.follow().points) == 6

    def test_pictures_and_what_curves_show(self, store):
        run = store.create_run(experiment_of("iris"))
        _, lease = store.claim("a test", run_id=run.id)
        pictures = {"samples": (1, b"s"), "surface": (1, b"not told")}
        store.report(run.id, lease, Progress(10, 100, 1.0), points=points_of(1), live=pictures)
        header, payloads = unpacked(Watching(store, run.id).follow().whole)
        assert payloads == [b"s"]
        assert header["summaries"]["loss"].startswith("Loss 1 in training")


def test_whatever_happens_to_a_run_is_felt_in_its_pulse(store):
    run = store.create_run(experiment_of("iris"))
    pulses = [store.pulse(run.id)]
    _, lease = store.claim("a test", run_id=run.id)
    for happens in (
        lambda: store.report(run.id, lease, Progress(1), points=[Point(1, 0.1, "chunk", {})]),
        lambda: store.report(run.id, lease, Progress(1), live={"samples": (1, b"")}),
        lambda: store.order(run.id, SetRate()),
        lambda: store.obeyed(run.id, lease, 1, 1),
        lambda: store.request(run.id, pause=True),
        lambda: store.request(run.id, stop=True),
        lambda: store.apply(run.id, lease, Event.STOP),
        lambda: store.resume(run.id),
    ):
        happens()
        pulses.append(store.pulse(run.id))
    assert len(set(pulses)) == len(pulses)
    assert store.pulse(run.id) == pulses[-1]
    with pytest.raises(NotFound):
        store.pulse("nobody")


def test_a_stop_or_pause_is_acknowledged_in_words_before_it_takes_effect():
    assert ", stopping." in progress_in_words(replace(RUN, controls=Controls(stop=True)))
    assert ", pausing." in progress_in_words(replace(RUN, controls=Controls(pause=True)))
    paused = replace(RUN, status=RunStatus.PAUSED, controls=Controls(pause=True))
    assert progress_in_words(paused) == "Paused: epoch 6 of 10, 4.0 s left."
