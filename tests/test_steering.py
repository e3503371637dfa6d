"""What people change while a run is under way: the numbers against plain Keras, and against runs nobody touched."""

import re
import threading
import time

import keras
import numpy as np
import pytest

from playground.data import load
from playground.records import Ordered, RunStatus
from playground.settings import Settings
from playground.spec import Experiment, parse_experiment, with_settings
from playground.spec.orders import (
    ORDERS,
    Freeze,
    OrderSpec,
    Rewind,
    SetBatchSize,
    SetEpochs,
    SetRate,
    SetSpeed,
    SetWeight,
    Step,
)
from playground.store import Store

pytestmark = pytest.mark.keras

EXPERIMENT = parse_experiment(
    {
        "data": {"kind": "moons", "samples": 200},
        "model": {
            "layers": [{"kind": "Dense", "units": 8, "id": "first"}, {"kind": "Dense", "units": 4, "id": "second"}]
        },
        "training": {
            "epochs": 8,
            "metrics": ["accuracy"],
            "execution": "plain",
            "batch_size": 16,
            "optimizer": {"kind": "Adam", "learning_rate": 0.01},
        },
    }
)


class Driven:
    """A run in a worker of its own, steered from outside as people steer it."""

    def __init__(self, store: Store, settings: Settings, experiment: Experiment, **changes: object) -> None:
        self.store, self.settings = store, settings
        wanted = with_settings(experiment, [f"training.{name}={value}" for name, value in changes.items()])
        self.id = store.create_run(wanted, held=True).id
        self._worker: threading.Thread | None = None

    def obey(self, order: OrderSpec) -> Ordered:
        """Give an order, and wait until it is settled."""
        number = self.store.order(self.id, order).number
        self._attend()
        settled = self._wait(lambda: self.store.orders(self.id)[number - 1], lambda o: o.step is not None)
        if isinstance(order, Step) and not settled.refusal:
            reached = settled.step + order.count * (8 if order.unit == "epoch" else 1)
            self._wait(lambda: self.store.run(self.id).progress.step, lambda step: step >= reached)
        return settled

    def go_on(self) -> None:
        """Let it run to its end."""
        self.store.request(self.id, pause=False)
        self._attend()
        self._worker.join(60)

    def values(self) -> dict[str, np.ndarray]:
        """All numbers of the newest checkpoint."""
        return self.store.read_checkpoint(self.id)[0]

    def _attend(self) -> None:
        from playground.engine.run import run_experiment

        if self._worker is None or not self._worker.is_alive():
            claimed = self.store.claim("test")
            assert claimed is not None
            assert claimed[0].id == self.id
            self._worker = threading.Thread(
                target=run_experiment, args=(self.store, self.settings, *self._held(claimed))
            )
            self._worker.start()

    def _held(self, claimed) -> tuple[str, str]:
        return claimed[0].id, claimed[1]

    def _wait(self, look, is_right):
        deadline = time.monotonic() + 60
        while not is_right(found := look()):
            assert time.monotonic() < deadline, found
            time.sleep(0.01)
        return found

    def end(self) -> None:
        if self._worker is not None and self._worker.is_alive():
            self.store.request(self.id, stop=True)
            self._worker.join(60)


@pytest.fixture
def drive(shared_store, settings):
    runs = []

    def begin(experiment: Experiment = EXPERIMENT, **changes: object) -> Driven:
        runs.append(Driven(shared_store, settings, experiment, **changes))
        return runs[-1]

    yield begin
    for run in runs:
        run.end()


def by_hand(plan):
    """The same training by Keras's ``train_on_batch``: (epochs, batch size, what changes before), in turn."""
    from playground.engine.model import encode_targets
    from playground.engine.stages import built_model

    data = load(EXPERIMENT.data, 0, ())
    model, epoch = built_model(EXPERIMENT, data), 0
    y = encode_targets(data.y_train, EXPERIMENT, data.facts)
    for epochs, size, change in plan:
        change(model)
        for _ in range(epochs):
            order = np.random.default_rng((0, epoch)).permutation(len(y))
            for at in range(0, len(y), size):
                model.train_on_batch(data.x_train[order[at : at + size]], y[order[at : at + size]])
            epoch += 1
    return model


def assert_weights(driven: Driven, model: keras.Model, **tolerance: float) -> None:
    for place, variable in enumerate(model.variables):
        np.testing.assert_allclose(driven.values()[f"v{place}"], variable.numpy(), **tolerance)


def test_rate_batches_and_frozen_layers_against_keras(drive):
    driven = drive()
    driven.obey(Step(count=3))
    rate = driven.obey(SetRate(learning_rate=0.002))
    size = driven.obey(SetBatchSize(batch_size=32))
    assert (rate.step, size.step, rate.refusal + size.refusal) == (24, 24, "")
    driven.store.order(driven.id, Step(count=2))
    driven._wait(lambda: driven.store.run(driven.id).progress.step, lambda step: step == 24 + 2 * 4)
    driven.obey(Freeze(layers=("first",)))
    driven.go_on()

    def slower(model):
        model.optimizer.learning_rate.assign(0.002)

    def freeze(model):
        model.get_layer("first").trainable = False
        # The optimizer keeps its slots: only its gradients are asked for of fewer variables, as after a new trace.
        model.make_train_function(force=True)

    model = by_hand([(3, 16, lambda model: None), (2, 32, slower), (3, 32, freeze)])
    assert driven.store.run(driven.id).status is RunStatus.DONE
    assert_weights(driven, model, rtol=2e-4, atol=2e-6)


def test_back_to_the_start_is_as_if_nothing_had_been(drive):
    untouched, driven = drive(), drive()
    untouched.go_on()
    driven.obey(Step(count=5))
    driven.obey(SetWeight(layer="output", index=(3, 0), value=9.5))
    back = driven.obey(Rewind(epoch=0))
    assert (back.step, back.refusal) == (0, "")
    driven.go_on()
    run = driven.store.run(driven.id)
    assert (run.status, run.progress.epoch) == (RunStatus.DONE, 8)
    for name, expected in untouched.values().items():
        np.testing.assert_array_equal(driven.values()[name], expected)
    decided = [point.epoch for point in driven.store.points(driven.id)[0] if point.kind == "epoch"]
    assert decided == list(range(1, 9))


def test_back_to_a_kept_epoch_of_a_run_that_was_over(drive, shared_store):
    from playground.lab.steering import Steering

    untouched, driven = drive(), drive()
    untouched.go_on()
    for _ in range(3):
        driven.obey(Step(count=1))
        time.sleep(1.1)  # at most one epoch a second is kept
    driven.go_on()
    assert 2 in shared_store.kept_epochs(driven.id)
    Steering(shared_store).rewind(driven.id, 2)
    driven.obey(SetSpeed(epochs_per_second=1000))
    driven._wait(lambda: shared_store.run(driven.id).progress.epoch, lambda epoch: epoch == 2)
    assert max(shared_store.kept_epochs(driven.id)) == 2
    driven.go_on()
    for name, expected in untouched.values().items():
        np.testing.assert_array_equal(driven.values()[name], expected)


def test_a_weight_is_set_where_it_was_meant(drive, shared_store):
    driven = drive()
    driven.obey(SetWeight(layer="second", variable="kernel", index=(5, 2), value=-3.25))
    driven.obey(SetWeight(layer="second", variable="bias", index=(1,), value=0.5))
    driven.end()
    before, after = shared_store.read_epoch(driven.id, 0), driven.values()
    before["v2"][5, 2], before["v3"][1] = -3.25, 0.5
    for name, expected in before.items():
        np.testing.assert_array_equal(after[name], expected)


def test_more_epochs_and_fewer(drive, shared_store):
    driven = drive()
    driven.obey(Step(count=2))
    assert driven.obey(SetEpochs(epochs=4)).refusal == ""
    driven.go_on()
    assert shared_store.run(driven.id).progress.epoch == 4
    more = with_settings(
        shared_store.run(driven.id).experiment, ["training.epochs=10"]
    )  # two more than it had asked for
    shared_store.resume(driven.id, more)
    driven.go_on()
    assert shared_store.run(driven.id).progress.epoch == 6


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (SetBatchSize(batch_size=500), "only 128 training examples"),
        (SetEpochs(epochs=1), "Epoch 3 is under way"),
        (Freeze(layers=("third",)), "no layer 'third' with weights"),
        (Freeze(layers=("first", "second", "output")), "nothing would be learned"),
        (Rewind(epoch=7), "Choose an epoch before that"),
        (Rewind(epoch=1), "No weights were kept of epoch 1"),
        (SetWeight(layer="third", value=1), "no layer 'third'"),
        (SetWeight(layer="first", index=(9, 9), value=1), r"has the shape \(2, 8\)"),
        (SetWeight(layer="first", index=(0,), value=1), r"has the shape \(2, 8\)"),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_run_goes_on(drive, shared_store, order, sentence):
    driven = drive()
    driven.obey(Step(count=2))
    shared_store.drop_epochs(driven.id, [1])
    assert re.search(sentence, driven.obey(order).refusal)
    driven.go_on()
    assert shared_store.run(driven.id).status is RunStatus.DONE


def test_stepping_needs_a_pause(drive, shared_store):
    driven = drive(epochs=100_000)
    shared_store.request(driven.id, pause=False)
    assert "Pause it first" in driven.obey(Step(unit="batch")).refusal


def test_one_step_is_one_step(drive, shared_store):
    driven = drive()
    driven.obey(Step(unit="batch"))
    driven.obey(Step(unit="batch", count=2))
    run = shared_store.run(driven.id)
    assert (run.progress.step, run.status) == (3, RunStatus.PAUSED)
    shared_store.order(driven.id, Step(unit="epoch"))
    driven._wait(lambda: shared_store.run(driven.id).progress.step, lambda step: step == 8)  # the end of the epoch


def test_who_pauses_for_long_gives_way_and_comes_back(drive, shared_store, monkeypatch):
    monkeypatch.setattr("playground.engine.steering.SECONDS_OF_PAUSE", 0.2)
    untouched, driven = drive(), drive()
    untouched.go_on()
    driven.obey(Step(count=3))
    driven._worker.join(60)
    run = shared_store.run(driven.id)
    assert (run.status, run.controls.pause, run.progress.step) == (RunStatus.QUEUED, True, 24)
    assert shared_store.claim("nobody") is None
    driven.obey(Step(count=1))
    driven._worker.join(60)
    driven.go_on()
    for name, expected in untouched.values().items():
        np.testing.assert_array_equal(driven.values()[name], expected)


def test_what_was_changed_survives_an_interruption(drive, shared_store):
    driven = drive()
    driven.obey(Step(count=2))
    driven.obey(SetRate(learning_rate=0.002))
    driven.obey(SetBatchSize(batch_size=64))
    driven.obey(Freeze(layers=("second",)))
    shared_store.request(driven.id, stop=True)
    driven._worker.join(60)
    frozen = driven.values()["v2"]
    shared_store.resume(driven.id)
    driven.go_on()
    run = shared_store.run(driven.id)
    assert (run.status, run.progress.step) == (RunStatus.DONE, 2 * 8 + 6 * 2)
    assert run.progress.rate == pytest.approx(0.002)
    np.testing.assert_array_equal(driven.values()["v2"], frozen)


def test_slow_motion_is_no_faster_than_asked(drive, shared_store):
    driven = drive(epochs=3)
    driven.obey(SetSpeed(epochs_per_second=10))
    began = time.monotonic()
    driven.go_on()
    assert time.monotonic() - began > 0.2
    assert shared_store.run(driven.id).status is RunStatus.DONE


def test_a_schedule_is_followed_and_scaled(drive, shared_store):
    driven = drive(schedule='{"kind": "cosine"}')
    driven.obey(Step(count=4))
    half = shared_store.run(driven.id).progress.rate
    assert half == pytest.approx(0.005, rel=1e-6)  # half way down the cosine
    driven.obey(SetRate(learning_rate=half / 10))
    driven.obey(Step(count=2))
    expected = 0.001 * (1 + np.cos(np.pi * 6 / 8)) / 2
    assert shared_store.run(driven.id).progress.rate == pytest.approx(expected, rel=1e-6)


def test_of_two_who_steer_the_last_has_the_last_word_and_both_see_it(drive, shared_store):
    driven = drive()
    for owner, rate in (("ada", 0.1), ("bob", 0.004), ("ada", 0.002)):
        shared_store.order(driven.id, SetRate(learning_rate=rate), owner=owner)
    driven.obey(Step(count=1))
    assert [(given.owner, given.step) for given in shared_store.orders(driven.id)[:3]] == [
        ("ada", 0),
        ("bob", 0),
        ("ada", 0),
    ]
    assert shared_store.run(driven.id).progress.rate == pytest.approx(0.002)


def test_every_order_is_obeyed_and_has_words():
    from playground.displays.orders import SAYS
    from playground.engine.steering import OBEY

    assert set(OBEY) == set(ORDERS)
    assert set(SAYS) == {order.model_fields["kind"].default for order in ORDERS}


def test_back_from_a_later_stage_learns_as_the_earlier_one(drive, shared_store, settings):
    from playground.spec.saved import Saved
    from playground.spec.start import HeadThenAll
    from playground.spec.tuning import tuned

    base = drive()
    base.go_on()
    experiment = tuned(EXPERIMENT, Saved(run=base.id), EXPERIMENT.data, HeadThenAll(head_epochs=2), epochs=4)
    untouched, driven = drive(experiment), drive(experiment)
    untouched.go_on()
    driven.obey(Step(count=3))
    assert driven.obey(Rewind(epoch=0)).refusal == ""
    driven.go_on()
    for name, expected in untouched.values().items():
        np.testing.assert_array_equal(driven.values()[name], expected)


def test_a_rule_that_ends_a_run_ends_it_while_it_is_stepped(drive, shared_store):
    driven = drive(stop_at_loss=100)
    driven.store.order(driven.id, Step(count=1))
    driven._attend()
    driven._worker.join(60)
    run = shared_store.run(driven.id)
    assert (run.status, run.progress.epoch) == (RunStatus.DONE, 1)


def test_more_epochs_than_the_schedule_has_a_rate_for_are_refused(drive):
    driven = drive(schedule='{"kind": "polynomial", "decay_epochs": 2}', epochs=2)
    driven.obey(Step(count=1))
    assert "falls to 0 at epoch 2 of 4" in driven.obey(SetEpochs(epochs=4)).refusal
