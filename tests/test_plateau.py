"""Reductions on plateau against Keras's own callback, on the same series of scores."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from playground.engine.training import fit
from playground.engine.training.plateau import ReduceOnPlateau
from playground.records import Point
from playground.spec import ReduceOnPlateau as Asked

pytestmark = pytest.mark.keras

SETTINGS = [
    Asked(patience=3),
    Asked(patience=0, factor=0.5),
    Asked(patience=2, cooldown=4, factor=0.5),
    Asked(patience=2, cooldown=1, min_delta=0.05),
    Asked(patience=1, factor=0.3, min_lr=0.02),
    Asked(monitor="val_accuracy", patience=2),
    Asked(monitor="loss", patience=4, min_delta=0.0),
]


class FakeLoop:
    """What the callback sees of a loop: an epoch a decision, unless they are rarer."""

    def __init__(self, rate: float = 1.0) -> None:
        self.rate, self.step, self.epoch, self.history = rate, 0, 0.0, []

    def scale_rate(self, factor: float) -> None:
        self.rate *= factor

    def decide(self, callback: ReduceOnPlateau, value: float, epochs: int = 1, name: str = "val_loss") -> float:
        self.step, self.epoch = self.step + 10 * epochs, self.epoch + epochs
        self.history.append(Point(int(self.epoch), self.epoch, "epoch", {name: value}))
        callback.on_decision(self)
        return self.rate


def ours(asked: Asked, values) -> list[float]:
    loop, callback = FakeLoop(), ReduceOnPlateau(asked)
    callback.on_train_begin(loop)
    return [loop.decide(callback, value, name=asked.monitor) for value in values]


def theirs(asked: Asked, values) -> list[float]:
    callback = keras.callbacks.ReduceLROnPlateau(
        mode="max" if "accuracy" in asked.monitor else "min", **asked.model_dump()
    )
    optimizer = keras.optimizers.SGD(1.0)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {asked.monitor: value})
        rates.append(float(optimizer.learning_rate))
    return rates


@pytest.mark.parametrize("asked", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_rate_is_keras_s_after_every_epoch(asked, seed):
    rng = np.random.default_rng(seed)
    values = 1 / (1 + 0.1 * np.arange(60)) + 0.1 * rng.normal(size=60)
    values[7] = np.nan
    if "accuracy" in asked.monitor:
        values = 1 - values
    np.testing.assert_allclose(ours(asked, values), theirs(asked, values), rtol=1e-6)


def test_a_training_ends_at_the_rate_of_fit():
    x, y = np.random.default_rng(0).normal(size=(64, 4)).astype("float32"), np.zeros(64, "float32")
    asked = Asked(monitor="loss", patience=2, min_delta=0.5, factor=0.5)

    def model() -> keras.Model:
        made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="zeros")])
        made.compile(keras.optimizers.SGD(0.1), "mse")
        return made

    reference, trained = model(), model()
    reference.fit(
        x, y, epochs=12, verbose=0, callbacks=[keras.callbacks.ReduceLROnPlateau(mode="min", **asked.model_dump())]
    )
    loop = fit(trained, x, y, epochs=12, execution="plain", callbacks=[ReduceOnPlateau(asked)])
    assert loop.rate == pytest.approx(float(reference.optimizer.learning_rate))
    assert loop.rate == pytest.approx(0.1 / 2**5)


def test_patience_counts_epochs_where_decisions_are_rarer():
    loop, callback = FakeLoop(), ReduceOnPlateau(Asked(patience=10, cooldown=10))
    callback.on_train_begin(loop)
    rates = [loop.decide(callback, 1.0, epochs=5) for _ in range(7)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_a_score_that_is_not_reported_changes_nothing():
    loop, callback = FakeLoop(), ReduceOnPlateau(Asked(patience=0))
    assert [loop.decide(callback, 1.0, name="loss") for _ in range(5)] == [1.0] * 5


def test_an_interrupted_training_goes_on_with_the_same_patience():
    asked = Asked(patience=4, cooldown=3, factor=0.5)
    values = [1.0, 0.5, *[0.6] * 14]
    loop, callback = FakeLoop(), ReduceOnPlateau(asked)
    callback.on_train_begin(loop)
    rates = []
    for value in values:
        rates.append(loop.decide(callback, value))
        state, callback = callback.state(), ReduceOnPlateau(asked)
        callback.restore(state)
        callback.on_train_begin(loop)
    assert rates == ours(asked, values)


def test_after_going_back_the_best_is_that_of_what_is_left():
    loop, callback = FakeLoop(), ReduceOnPlateau(Asked(patience=3))
    for value in (1.0, 0.1, 0.5, 0.5):
        loop.decide(callback, value)
    loop.history, loop.step, loop.epoch = loop.history[:1], 10, 1.0
    callback.on_jump(loop)
    assert [loop.decide(callback, value) for value in (0.9, 0.8, 0.7, 0.6)] == [1.0] * 4
    loop.history = []
    callback.on_jump(loop)
    assert callback.state()["best"] is None


def test_after_going_back_the_rate_is_without_what_was_cut_since():
    loop, callback = FakeLoop(), ReduceOnPlateau(Asked(patience=2, factor=0.5))
    rates = [loop.decide(callback, 1.0) for _ in range(9)]
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]
    loop.history, loop.step, loop.epoch = loop.history[:4], 40, 4.0
    callback.on_jump(loop)
    assert loop.rate == 0.5
