"""What is measured beside a training, against plain TensorFlow written separately; and that nothing changes by it."""

from contextlib import closing

import keras
import numpy as np
import pytest
import tensorflow as tf

from playground.engine.probes.health import MOMENTS, WatchHealth
from playground.engine.probes.meter import SAMPLE, Meter
from playground.engine.run import run_experiment
from playground.engine.training import Callback, Loop, fit
from playground.evaluation.health import Health, Moment, Names
from playground.evaluation.histogram import BINS
from playground.recipes import recipe
from playground.records import Progress
from playground.spec import with_settings
from playground.store import open_store
from tests.runs import trained as trained_run

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 6, 6, 1)).astype("float32")
Y = RNG.integers(0, 3, 96).astype("int32")


def network(optimizer: str = "adam") -> keras.Model:
    """One of every layer that has something to measure, with weights that do not depend on the test before."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.layers.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(8, activation="tanh", name="tanh"),
            keras.layers.Dropout(0.2, seed=1, name="drop"),
            keras.layers.Dense(5, activation="sigmoid", name="sigmoid"),
            keras.layers.Dense(3, activation="softmax", name="output"),
        ]
    )
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"], jit_compile=False)
    return model


class Listener:
    """A reporter that remembers."""

    company = 1

    def __init__(self) -> None:
        self.progress = Progress()
        self.live: list[tuple[int, bytes]] = []

    def say(self, progress, *, live) -> None:
        self.live.append(live["health"])


def watching(known: Health | None = None) -> tuple[WatchHealth, Listener, list]:
    listener, saved = Listener(), []
    layers = ["conv", "norm", "flat", "tanh", "drop", "sigmoid", "output"]
    return WatchHealth(listener, saved.append, X, Y, layers, known), listener, saved


def trained(optimizer: str = "adam", *, watched: bool, epochs: int = 12):
    model = network(optimizer)
    watch, listener, saved = watching()
    watch._gap = 0.0
    loop = fit(model, X, Y, batch_size=16, epochs=epochs, execution="plain", callbacks=[watch] if watched else [])
    with loop.learner.seat() as program:
        return [value.numpy() for value in program.values()], watch.health, listener, saved, model


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_watching_changes_no_bit_of_the_training(optimizer):
    plain, watched = (trained(optimizer, watched=on)[0] for on in (False, True))
    for a, b in zip(plain, watched, strict=True):
        assert a.tobytes() == b.tobytes()


def test_nor_does_it_where_weights_are_too_large_to_be_held(monkeypatch):
    plain = trained(watched=False)[0]
    monkeypatch.setattr("playground.engine.probes.health.WAITING_BYTES", 0)
    watched, health, *_ = trained(watched=True)
    assert (health.step[0], health.step[-1]) == (0, 12 * 6)
    for a, b in zip(plain, watched, strict=True):
        assert a.tobytes() == b.tobytes()


class Edit(Callback):
    """Sets the first variable to 0 after the last step, as somebody does who edits a weight and stops."""

    def on_rest(self, loop: Loop) -> None:
        if loop.step == loop.schedule.total_steps:
            loop.change(lambda program: program.variables[0].assign(tf.zeros_like(program.variables[0])))


def test_what_waited_does_not_undo_what_was_changed_since(monkeypatch):
    monkeypatch.setattr("playground.engine.probes.health.SECONDS_AT_A_TIME", 0)
    watch, *_ = watching()
    watch._gap = 0.0
    loop = fit(network(), X, Y, batch_size=16, epochs=3, execution="plain", callbacks=[watch, Edit()])
    assert len(watch.health) > 2
    with loop.learner.seat() as program:
        assert not program.variables[0].numpy().any()


def test_measuring_puts_everything_back():
    model = network()
    model.fit(X, Y, epochs=1, verbose=0)
    every = [*model.variables, *model.optimizer.variables]
    before = [v.numpy() for v in every]
    Meter(model).measure(tf.constant(X[:64]), tf.constant(Y[:64]), 0, 0.0)
    for value, variable in zip(before, every, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_number_is_that_of_a_plain_gradient_tape(optimizer):
    model = network(optimizer)
    model.fit(X, Y, epochs=2, verbose=0)
    x, y = tf.constant(X[:64]), Y[:64]
    found = Meter(model).measure(x, tf.constant(y), 12, 2.0)

    outputs = []
    with tf.GradientTape() as tape:
        a = x
        for layer in model.layers:
            a = layer(a, training=False)
            tape.watch(a)
            outputs.append(a)
        loss = tf.reduce_mean(-tf.math.log(tf.gather(a, y, axis=1, batch_dims=1)))
    variables = [v for layer in model.layers for v in layer.trainable_variables]
    found_by = tape.gradient(loss, [*outputs, *(v.value for v in variables)])
    by_output, by_variable = found_by[: len(outputs)], found_by[len(outputs) :]
    before = [v.numpy() for v in variables]
    model.optimizer.apply(by_variable, variables)
    updates = [v.numpy() - w for v, w in zip(variables, before, strict=True)]

    assert found.loss == pytest.approx(float(loss), rel=1e-4)
    for row, g, u, w in zip(found.variables, by_variable, updates, before, strict=True):
        mean = np.abs(w).mean(dtype=np.float64)
        ratio = np.log10(np.abs(u).mean(dtype=np.float64) / mean) if mean else np.inf
        want = [np.linalg.norm(g), np.linalg.norm(w), w.std(dtype=np.float64), ratio]
        np.testing.assert_allclose(row, want, rtol=1e-4, atol=1e-7)
    one_hot = np.eye(3, dtype="float32")[y]
    by_output[-1] = (outputs[-1] - one_hot) / len(y)  # the loss reads the logits: softmax minus truth, over n
    for row, layer, a, g in zip(found.layers, model.layers, outputs, by_output, strict=True):
        a = a.numpy()
        np.testing.assert_allclose(row[0], a.mean(dtype=np.float64), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(row[1], a.std(dtype=np.float64), rtol=1e-4)
        np.testing.assert_allclose(row[2], (a == 0).mean(), rtol=1e-4)
        if layer.name == "conv":
            assert row[3] == pytest.approx((a == 0).all(axis=(0, 1, 2)).mean())
        else:
            assert np.isnan(row[3])
        if layer.name == "tanh":
            assert row[4] == pytest.approx((np.abs(a) > 0.97).mean())
        elif layer.name == "sigmoid":
            assert row[4] == pytest.approx(((a < 0.015) | (a > 0.985)).mean())
        else:
            assert np.isnan(row[4])
        np.testing.assert_allclose(row[5], np.sqrt(np.mean(np.square(g))), rtol=1e-4)


def test_histograms_count_every_value_of_a_small_variable_and_a_sample_of_a_large_one():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((100,)), keras.layers.Dense(100, name="output")])
    model.compile("adam", keras.losses.MeanSquaredError(), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    x, y = tf.random.stateless_normal((8, 100), (1, 2)), tf.zeros((8, 100))
    found = Meter(model).measure(x, y, 0, 0.0)
    assert found.counts.shape == (2, 3, BINS)
    kernel = model.layers[0].kernel.numpy().ravel()[:: -(-10_000 // SAMPLE)]
    np.testing.assert_array_equal(found.counts[0, 2], np.histogram(kernel.astype(np.float64), BINS)[0])
    assert found.counts[1].sum(axis=1).tolist() == [100, 100, 100]
    assert found.edges[0, 2].tolist() == pytest.approx([kernel.min(), kernel.max()])


def test_a_training_is_measured_from_before_its_first_step_to_after_its_last():
    _, health, listener, saved, model = trained(watched=True)
    assert (health.step[0], health.step[-1]) == (0, 12 * 6)
    assert (np.diff(health.step) > 0).all()
    assert health.loss[-1] < health.loss[0]
    assert health.names.variables[0] == "conv/kernel"
    assert health.names.activations == ("relu", "", "", "tanh", "", "sigmoid", "softmax")
    fresh = network()
    fresh.optimizer.build(fresh.trainable_variables)
    first = Meter(fresh).measure(tf.constant(X[:64]), tf.constant(Y[:64]), 0, 0.0)
    np.testing.assert_allclose(health.variables[0], first.variables, rtol=1e-5)
    last = Meter(model)
    assert Health.unpack(listener.live[-1][1]).step.tolist() == health.step.tolist()
    np.testing.assert_array_equal(Health.from_arrays(saved[-1]).layers, health.layers)
    assert len(last.variables) == len(health.names.variables)


def test_the_last_histograms_are_those_of_the_end():
    watch, *_ = watching()
    watch._gap, watch._histogram_gap = 0.0, 1e9
    fit(network(), X, Y, batch_size=16, epochs=3, execution="plain", callbacks=[watch])
    assert watch.health.histogram_epoch[-1] == 3


def test_a_frozen_layer_shows_its_gradient_and_takes_no_step():
    model = network()
    model.get_layer("conv").trainable = False
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    found = Meter(model).measure(tf.constant(X[:64]), tf.constant(Y[:64]), 0, 0.0)
    assert found.variables[0, 0] > 0
    assert found.variables[0, 3] == -np.inf


def names(variables: int = 1) -> Names:
    return Names(("a", "output"), ("relu", ""), tuple(f"a/{k}" for k in range(variables)), ((2, 2),) * variables)


def moment(step: int, *, histograms: bool = True) -> Moment:
    counts, edges = np.full((1, 3, BINS), step % 7), np.zeros((1, 3, 2))
    extra = (counts, edges) if histograms else (None, None)
    return Moment(step, step / 10, 1.0, np.ones((2, 6)), np.ones((1, 4)), *extra)


def test_series_grow_are_thinned_evenly_and_are_cut_where_a_training_is_resumed():
    health = Health.empty(names())
    for step in range(201):
        health = health.with_moment(moment(step, histograms=step % 8 == 0))
    assert (len(health), len(health.histogram_epoch)) == (201, 26)
    thin = health.thinned(MOMENTS, 24)
    assert (len(thin), len(thin.histogram_epoch)) == (101, 14)
    assert (thin.step[0], thin.step[-1]) == (0, 200)
    cut = health.until(100)
    assert (cut.step[-1], cut.histogram_epoch[-1]) == (100, 9.6)
    assert len(health.until(-1)) == 0


def test_the_live_picture_stays_small_however_long_a_training_is():
    many = Names(("a",) * 20, ("relu",) * 20, tuple(f"a/{k}" for k in range(40)), ((9, 9),) * 40)
    health = Health.empty(many)
    rng = np.random.default_rng(0)
    for step in range(MOMENTS):
        counts = rng.integers(0, 99, (40, 3, BINS)) if step < 24 else None
        edges = rng.normal(size=(40, 3, 2)) if step < 24 else None
        health = health.with_moment(
            Moment(step, step, 1.0, rng.normal(size=(20, 6)), rng.normal(size=(40, 4)), counts, edges)
        )
    assert len(health.pack()) < 400_000


def test_a_resumed_run_goes_on_with_its_series(settings):
    experiment = with_settings(recipe("iris").experiment, ["training.epochs=4", "training.execution=plain"])
    run = trained_run(settings, experiment)
    with closing(open_store(settings.database, settings.artifacts)) as store:
        before = Health.from_arrays(store.read_arrays(run.id, "health"))
        store.resume(run.id, with_settings(experiment, ["training.epochs=8"]))
        _, lease = store.claim("a test", run_id=run.id)
        run_experiment(store, settings, run.id, lease)
        after = Health.from_arrays(store.read_arrays(run.id, "health"))
        assert store.live(run.id, "health")[0] == after.step[-1]
    assert (before.epoch[-1], after.epoch[0], after.epoch[-1]) == (4, 0, 8)
    assert (np.diff(after.step) > 0).all()
    np.testing.assert_array_equal(after.variables[: len(before) - 1], before.variables[:-1])
    assert after.names.layers == ("dense_1", "output")
