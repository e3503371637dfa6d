"""What people change while a run is under way: the numbers against plain Keras, and against runs nobody touched."""

import threading
import time

import keras
import numpy as np
import pytest

from playground.data import load
from playground.records import Ordered, RunStatus
from playground.settings import Settings
from playground.spec import parse_experiment, with_settings
from playground.spec.orders import (
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

    def __init__(self, store: Store, settings: Settings, **changes: object) -> None:
        self.store, self.settings = store, settings
        wanted = with_settings(EXPERIMENT, [f"training.{name}={value}" for name, value in changes.items()])
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

    def begin(**changes: object) -> Driven:
        runs.append(Driven(shared_store, settings, **changes))
        return runs[-1]

    yield begin
    for run in runs:
        run.end()


def by_hand(plan):
    """The same training by Keras's ``train_on_batch``: (epochs, batch size, what changes before) one after the other."""
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
