"""The training loop against Keras's own ``fit``, and against itself."""

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from playground.engine.training import (
    Callback,
    Learner,
    Loop,
    OnDevice,
    Pilot,
    Program,
    Schedule,
    Stage,
    Streamed,
    build_all,
    fit,
    variables_of,
)
from playground.engine.training import step as step_module
from playground.engine.training.step import fast_dropout
from playground.engine.training.xla import SMALL_LOOP_BYTES, prefer_small

pytestmark = pytest.mark.keras

EXAMPLES = 150  # with batches of 32: four whole ones and a last one of 22


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    """150 × 12 numbers in three classes that can be learnt."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, EXAMPLES).astype("int32")
    return (rng.normal(size=(EXAMPLES, 12)) + y[:, None]).astype("float32"), y


def glorot(seed: int) -> keras.initializers.Initializer:
    """The same starting weights every time."""
    return keras.initializers.GlorotUniform(seed)


def compiled(*stack: layers.Layer, optimizer: object = "adam", **options: object) -> keras.Model:
    last = layers.Dense(3, activation="softmax", name="last", kernel_initializer=glorot(9))
    model = keras.Sequential([layers.Input((12,)), *stack, last])
    options = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]} | options
    model.compile(optimizer, **options)
    return model


def dense(**options: object) -> keras.Model:
    return compiled(
        layers.Dense(16, activation="relu", kernel_initializer=glorot(1), kernel_regularizer="l2"), **options
    )


def normalized(**options: object) -> keras.Model:
    # Without a bias: normalization takes it away again, so its gradient is rounding noise, which Adam blows up.
    first = layers.Dense(16, use_bias=False, kernel_initializer=glorot(1))
    return compiled(first, layers.BatchNormalization(momentum=0.8), layers.ReLU(), **options)


def convolutional(**options: object) -> keras.Model:
    pictures = [
        layers.Reshape((4, 3, 1)),
        layers.Conv2D(4, 2, activation="relu", kernel_initializer=glorot(1)),
        layers.Flatten(),
    ]
    return compiled(*pictures, **options)


def recurrent(**options: object) -> keras.Model:
    return compiled(
        layers.Reshape((4, 3)), layers.GRU(8, kernel_initializer=glorot(1), recurrent_initializer=glorot(2)), **options
    )


def dropping(**options: object) -> keras.Model:
    return compiled(
        layers.Dense(16, activation="relu", kernel_initializer=glorot(1)), layers.Dropout(0.3, seed=5), **options
    )


def weights(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in model.trainable_variables]


def assert_close(ours: keras.Model, theirs: keras.Model, rtol: float = 2e-4, atol: float = 2e-5) -> None:
    for a, b in zip(weights(ours), weights(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def assert_same(ours: keras.Model, theirs: keras.Model) -> None:
    for a, b in zip(variables_of(ours), variables_of(theirs), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("variant", ["plain", "fused", "xla"])
@pytest.mark.parametrize("build", [dense, normalized, convolutional, recurrent])
def test_gives_what_fit_gives(build, variant, table):
    x, y = table
    ours, theirs = build(), build()
    loop = fit(ours, x, y, batch_size=32, epochs=3, shuffle=False, plan=((0, variant),), validation_data=(x, y))
    theirs_history = theirs.fit(x, y, batch_size=32, epochs=3, shuffle=False, verbose=0, validation_data=(x, y)).history
    for name, expected in theirs_history.items():
        np.testing.assert_allclose([point.values[name] for point in loop.history], expected, rtol=1e-3, err_msg=name)
    assert_close(ours, theirs)


@pytest.mark.parametrize("variant", ["plain", "fused"])
@pytest.mark.parametrize(
    "optimizer", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Nadam", "Adamax", "Lion", "Ftrl"]
)
def test_every_optimizer_steps_as_in_fit(optimizer, variant, table):
    x, y = table
    ours, theirs = (dense(optimizer=keras.optimizers.get(optimizer)) for _ in range(2))
    fit(ours, x, y, batch_size=32, epochs=1, shuffle=False, plan=((0, variant),))
    theirs.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    assert_close(ours, theirs)


def test_class_and_sample_weights_count_as_in_fit(table):
    x, y = table
    shares = np.linspace(0.1, 2, EXAMPLES, dtype="float32")
    for how in ({"class_weight": {0: 3.0, 2: 0.5}}, {"sample_weight": shares}):
        ours, theirs = dense(), dense()
        loop = fit(ours, x, y, batch_size=32, epochs=2, shuffle=False, execution="plain", **how)
        if "class_weight" in how:  # fit wants every class named
            how = {"class_weight": {0: 3.0, 1: 1.0, 2: 0.5}}
        history = theirs.fit(x, y, batch_size=32, epochs=2, shuffle=False, verbose=0, **how).history
        np.testing.assert_allclose([point.values["loss"] for point in loop.history], history["loss"], rtol=1e-5)
        assert_close(ours, theirs)


def test_metrics_that_are_no_means_are_keras_own(table):
    x, y = table
    onehot = np.eye(3, dtype="float32")[y]

    def build() -> keras.Model:
        metrics = [keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision"), keras.metrics.F1Score()]
        return dense(loss="categorical_crossentropy", metrics=metrics)

    ours, theirs = build(), build()
    loop = fit(ours, x, onehot, batch_size=32, epochs=2, shuffle=False, execution="xla")
    history = theirs.fit(x, onehot, batch_size=32, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose([p.values["auc"] for p in loop.history], history["auc"], rtol=1e-4)
    np.testing.assert_allclose([p.values["precision"] for p in loop.history], history["precision"], rtol=1e-4)


def test_frozen_layers_stay(table):
    model = dense()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    frozen = np.asarray(model.layers[0].kernel)
    before = np.asarray(model.get_layer("last").kernel)
    fit(model, *table, epochs=1)
    np.testing.assert_array_equal(np.asarray(model.layers[0].kernel), frozen)
    assert np.abs(np.asarray(model.get_layer("last").kernel) - before).max() > 0


@pytest.mark.parametrize("parts", [1, 4])
def test_full_batch_is_gradient_descent_on_everything(parts, table, monkeypatch):
    x, y = table
    monkeypatch.setattr(step_module, "MICRO_BATCH", EXAMPLES // parts)
    ours, theirs = (dense(optimizer=keras.optimizers.SGD(0.3)) for _ in range(2))
    loop = fit(ours, x, y, batch_size=EXAMPLES, epochs=4, execution="plain")
    history = theirs.fit(x, y, batch_size=EXAMPLES, epochs=4, shuffle=False, verbose=0).history
    np.testing.assert_allclose([point.values["loss"] for point in loop.history], history["loss"], rtol=1e-5)
    assert_close(ours, theirs)


@pytest.mark.parametrize("execution", ["plain", "xla"])
def test_repeats_itself_to_the_last_bit(execution, table):
    first, second = dropping(), dropping()
    for model in (first, second):
        fit(model, *table, epochs=4, seed=7, execution=execution)
    assert_same(first, second)


def test_a_replayed_plan_repeats_itself_to_the_last_bit(table):
    plan = ((0, "plain"), (3, "xla"), (8, "plain"), (9, "fused"))
    first, second = dropping(), dropping()
    for model in (first, second):
        loop = fit(model, *table, epochs=4, plan=plan)
        assert loop.pilot.plan == plan
    assert_same(first, second)


class Change(Callback):
    """Does something once, after a number of stretches."""

    def __init__(self, after: int, what) -> None:
        self.after, self.what = after, what

    def on_stretch_end(self, loop: Loop) -> None:
        self.after -= 1
        if self.after == 0:
            self.what(loop)


def test_stretch_length_changes_no_number(table):
    first, second = dropping(), dropping()
    fit(first, *table, epochs=6, execution="plain")
    loop = fit(second, *table, epochs=6, execution="plain", callbacks=[Change(1, _one_step_at_a_time)])
    assert_same(first, second)
    assert loop.step == 30


def _one_step_at_a_time(loop: Loop) -> None:
    loop._pace.steps = lambda variant: 1  # type: ignore[method-assign]


def test_compiling_beside_training_changes_no_weight(table):
    x, y = table
    first, second = dropping(), dropping()
    fit(first, x, y, epochs=120, execution="plain")
    compiled = threading.Event()

    def compile_now(loop: Loop) -> None:
        loop.learner.program.compile("xla", loop.source.window(loop.step))
        compiled.set()

    loop = fit(second, x, y, epochs=120, execution="plain", callbacks=[Change(1, compile_now)])
    assert compiled.is_set()
    assert loop.learner.program.compilation("xla").wait()
    assert_same(first, second)


def _loop(program: Program, model: keras.Model, data, epochs: int, **options) -> Loop:
    learner = Learner(program, [tf.convert_to_tensor(v.value) for v in variables_of(model)])
    schedule = Schedule(EXAMPLES, 32, epochs)
    source = OnDevice(data, schedule, shuffle=True, seed=0)
    return Loop(learner, source, schedule=schedule, pilot=Pilot(program, "plain"), **options)


def test_trainings_that_share_a_program_do_not_touch_each_other(table):
    data = tuple(tf.convert_to_tensor(array) for array in table)
    models = []
    for seed in (1, 2, 3):
        model = dropping()
        for variable in model.trainable_variables:
            variable.assign(np.random.default_rng(seed).normal(size=variable.shape) * 0.1)
        build_all(model, data)
        models.append(model)
    alone = []
    for model in models:
        loop = _loop(Program(model, Schedule(EXAMPLES, 32, 8)), model, data, 8)
        start = [np.asarray(v) for v in variables_of(model)]
        loop.run()
        with loop.learner.seat() as program:
            alone.append([np.asarray(value) for value in program.values()])
        for variable, value in zip(variables_of(model), start, strict=True):
            variable.assign(value)
    shared = Program(models[0], Schedule(EXAMPLES, 32, 8))
    loops = [_loop(shared, model, data, 8) for model in models]
    threads = [threading.Thread(target=loop.run) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for loop, expected in zip(loops, alone, strict=True):
        with loop.learner.seat() as program:
            for value, wanted in zip(program.values(), expected, strict=True):
                np.testing.assert_array_equal(np.asarray(value), wanted)


def test_resumes_in_the_middle_of_an_epoch_to_the_last_bit(table):
    data = tuple(tf.convert_to_tensor(array) for array in table)
    model = dropping()
    build_all(model, data)
    whole, half = Program(model, Schedule(EXAMPLES, 32, 4)), None
    start = [tf.convert_to_tensor(v.value) for v in variables_of(model)]
    loop = _loop(whole, model, data, 4)
    loop.run()
    with loop.learner.seat() as program:
        expected, history = [np.asarray(v) for v in program.values()], loop.history

    kept: dict[int, list[np.ndarray]] = {}

    class KeepStep7(Callback):
        def on_train_begin(self, loop: Loop) -> None:
            _one_step_at_a_time(loop)

        def on_stretch_end(self, loop: Loop) -> None:
            with loop.learner.seat() as program:
                kept[loop.step] = [np.asarray(value) for value in program.values()]
            loop.stop_training = loop.step == 7

    schedule, pilot = Schedule(EXAMPLES, 32, 4), Pilot(whole, "plain")
    source = OnDevice(data, schedule, shuffle=True, seed=0)
    Loop(Learner(whole, start), source, schedule=schedule, pilot=pilot, callbacks=[KeepStep7()]).run()
    half = Loop(Learner(whole, kept[7]), source, schedule=schedule, pilot=Pilot(whole, "plain"), step=7)
    half.run()
    with half.learner.seat() as program:
        for value, wanted in zip(program.values(), expected, strict=True):
            np.testing.assert_array_equal(np.asarray(value), wanted)
    assert [point.values for point in half.history] == [point.values for point in history[1:]]


@pytest.mark.parametrize("examples", [150, 128, 40])  # with a smaller last batch and without; short of a window
@pytest.mark.parametrize("steps", [1, 3, 100])
def test_streamed_data_gives_the_same_bits(examples, steps, table):
    x, y = (array[:examples] for array in table)
    first, second = dropping(), dropping()
    loop = fit(first, x, y, epochs=3, execution="plain", seed=4)

    schedule = Schedule(examples, 32, 3)
    source = Streamed((x, y), schedule, shuffle=True, seed=4, window_bytes=steps * 32 * (x[:1].nbytes + 4))
    build_all(second, (x, y))
    program = Program(second, source.sizes)
    learner = Learner(program, [tf.convert_to_tensor(v.value) for v in variables_of(second)])
    streamed = Loop(learner, source, schedule=schedule, pilot=Pilot(program, "plain"))
    streamed.run()
    assert_same(first, second)
    assert [point.values for point in streamed.history] == [point.values for point in loop.history]


@pytest.mark.parametrize("kind", [OnDevice, Streamed])
def test_a_window_is_the_same_whatever_was_asked_before(kind, table):
    schedule = Schedule(EXAMPLES, 32, 200)
    size = -(-EXAMPLES // 32)
    steps = [0, size * 4, size * 8, size * 2, 0, size * 100]  # the next ones, which are made ahead, and others
    source = kind(table, schedule, shuffle=True, seed=3)
    for step in steps:
        window, fresh = source.window(step), kind(table, schedule, shuffle=True, seed=3).window(step)
        assert (window.start, window.end) == (fresh.start, fresh.end)
        assert window.start <= step < window.end
        np.testing.assert_array_equal(window.orders, fresh.orders)
        np.testing.assert_array_equal(window.data[0], fresh.data[0])


@pytest.mark.parametrize("execution", ["plain", "xla"])
def test_a_nan_ends_training_with_the_last_good_weights(execution, table):
    x, y = table
    x = x.copy()
    x[77] = np.nan  # without shuffling it is seen at step 3 of every epoch
    model = dense()
    loop = fit(model, x, y, batch_size=32, epochs=9, shuffle=False, execution=execution)
    assert loop.step == 2
    assert "step 3" in loop.failure
    reference = dense()
    fit(reference, x[:64], y[:64], batch_size=32, epochs=1, shuffle=False, execution=execution)
    assert_close(model, reference, rtol=1e-6, atol=1e-7)


def test_an_exploding_rate_ends_training_with_finite_weights(table):
    model = dense(optimizer=keras.optimizers.SGD(1e18))
    loop = fit(model, *table, epochs=5)
    assert loop.failure
    assert all(np.isfinite(value).all() for value in weights(model))


def test_dropout_under_xla_drops_its_share_and_draws_anew():
    layer = layers.Dropout(0.25, seed=1)
    model = keras.Sequential([layers.Input((400,)), layer])

    @tf.function(jit_compile=True, autograph=False)
    def masked():
        with fast_dropout(model):
            return model(tf.ones((50, 400)), training=True)

    first, second = masked().numpy(), masked().numpy()
    for values in (first, second):
        assert set(np.unique(values)) == {0.0, np.float32(1 / 0.75)}
        assert np.mean(values == 0) == pytest.approx(0.25, abs=0.01)
    assert np.mean(first == second) < 0.7
    assert "call" not in vars(layer)


class UntilChosen(Callback):
    def on_stretch_end(self, loop: Loop) -> None:
        loop.stop_training |= not loop.pilot.exploring


def test_auto_tries_xla_and_keeps_the_faster(table):
    x, y = (np.tile(array, (20, *[1] * (array.ndim - 1))) for array in table)
    loop = fit(dense(), x, y, batch_size=8, epochs=100_000, callbacks=[UntilChosen()])
    rates = loop.learner.program.rates
    assert loop.pilot.plan[1][1] == "xla"
    assert loop.pilot.variant(loop.step) == max(rates, key=lambda variant: rates[variant])


@pytest.mark.parametrize(("slow", "tried"), [(0.02, "xla"), (0.0, "fused")])
def test_auto_tries_xla_on_convolutions_that_are_fast_once_they_are_warm(slow, tried, monkeypatch):
    """The first stretch, which traces, takes a tenth of a second for every step. Slow ones keep their own kernels."""
    monkeypatch.setattr("playground.engine.training.plan.SLOW_CONVOLUTION", slow)
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-4), "mse")  # a larger one lets the loss explode, from some starting weights
    x, y = np.ones((400, 8, 8, 1), "float32"), np.ones(400, "float32")
    loop = fit(model, x, y, batch_size=8, epochs=100_000, callbacks=[UntilChosen()])
    assert {*loop.learner.program.rates} == {"plain", tried}
    assert loop.pilot.plan[1][1] == tried


class Measured:
    """A program that can be measured but not run."""

    def __init__(self) -> None:
        self.rates: dict[str, float] = {}
        self.model = keras.Sequential([layers.Input((2,)), layers.Dense(1)])

    def compile(self, variant, window) -> None:
        self.compiled = variant

    def compilation(self, variant):
        return SimpleNamespace(is_running=False, is_ready=True, error="")


@pytest.mark.parametrize(
    ("faster", "plan"),
    [
        (5.0, ["plain", "xla"]),
        (1.3, ["plain", *["xla", "plain"] * 4, "xla"]),
        (0.8, ["plain", *["xla", "plain"] * 4]),
        (0.2, ["plain", "xla", "plain"]),
    ],
)
def test_variants_fly_in_turn_unless_one_is_clearly_faster(faster, plan):
    """The machine is slower by a third every other second."""
    pilot, step, clock = Pilot(Measured()), 0, 0.0
    while pilot.exploring:
        rate = 1000 * (faster if pilot.variant(step) == "xla" else 1.0) / (1 + 0.5 * (int(clock) % 2))
        steps = round(0.15 * rate)
        step, clock = step + steps, clock + 0.15
        pilot.measured(step, steps, steps / rate, 10**9, None)
    assert [variant for _, variant in pilot.plan] == plan
    assert bool(pilot.note) == (plan[-1] == "plain")


@pytest.mark.parametrize(("plan", "is_tried"), [(((0, "plain"), (50, "xla")), False), (((0, "plain"),), True)])
def test_a_training_that_is_resumed_elsewhere_keeps_what_it_chose(plan, is_tried):
    """In a new process, where nothing was measured yet."""
    pilot = Pilot(Measured(), "auto", plan)
    for step in range(110, 300, 10):
        pilot.measured(step, 10, 0.15, 10**9, None)
    assert (pilot.plan != plan) is is_tried


class Asks(Callback):
    """Somebody who asks something at step 30, after the stretch that ended there was told."""

    def __init__(self) -> None:
        self.heard, self.rests = threading.Event(), 0

    def on_rest(self, loop):
        self.rests += loop.step == 30
        if self.rests > 1:
            self.heard.set()


@pytest.mark.parametrize("what", ["network", "plain", "xla"])
def test_people_are_heard_while_what_runs_next_is_made(table, what):
    """The network of the next stage, its trace, a variant: each takes seconds, here until somebody was heard."""
    x, y = table
    schedule, asks = Schedule(EXAMPLES, 10, 4), Asks()
    programs = []
    for _ in range(2):
        model = dense()
        build_all(model, (x, y))
        programs.append(Program(model, schedule))
    first, second = programs

    def made(part):
        if part == what and not asks.heard.wait(20):
            raise TimeoutError("nobody was heard")

    def build():
        made("network")
        return second

    for program in (first, second)[what == "plain" :]:
        program.run = lambda variant, *given, run=program.run: (made(variant), run(variant, *given))
    stages, plan = [Stage(30, 1e-3, build)], ((0, "plain"),)
    if what == "xla":
        stages, plan = [], ((0, "plain"), (30, "xla"))
    loop = Loop(
        Learner(first, [tf.convert_to_tensor(v.value) for v in variables_of(first.model)]),
        OnDevice((x, y), schedule, shuffle=False, seed=0),
        schedule=schedule, pilot=Pilot(first, "auto", plan, settled=True), callbacks=[asks], stages=stages,
    )  # fmt: skip
    loop.run()
    assert loop.step == schedule.total_steps
    assert loop.pilot.plan == plan
    assert loop.learner.program is (first if what == "xla" else second)


def test_what_is_fast_is_found_out_again_when_other_layers_learn():
    """A head on frozen convolutions is fast in XLA, which is slow on their gradients."""
    head, every, known = Measured(), Measured(), Measured()
    head.rates, known.rates = {"plain": 1.0, "xla": 5.0}, {"plain": 2.0, "fused": 3.0}
    pilot = Pilot(head)
    assert (pilot.plan, pilot.exploring) == (((0, "xla"),), False)
    pilot.board(every, 60, None)
    assert (pilot.plan, pilot.exploring, every.compiled) == (((0, "xla"), (60, "plain")), True, "plain")
    pilot.board(known, 90, None)
    assert (pilot.plan, pilot.exploring) == (((0, "xla"), (60, "plain"), (90, "fused")), False)
    replayed = Pilot(head, plan=((0, "xla"), (80, "fused")), settled=True)
    replayed.board(every, 60, None)
    assert (replayed.plan, replayed.exploring, every.compiled) == (((0, "xla"), (80, "fused")), False, "xla")


COMPILE_AND_RUN = """
import os
import keras
import numpy as np
from playground.engine.training import OnDevice, Program, Schedule, build_all, variables_of

x, y = np.ones((40, 8, 8, 1), "float32"), np.ones((40, 1), "float32")
model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten(),
    keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(1)])
model.compile("adam", "mse")
build_all(model, (x, y))
schedule = Schedule(examples=40, batch_size=16, epochs=4)  # the last batch of an epoch has 8
window = OnDevice((x, y), schedule, shuffle=False, seed=0).window(0)
program = Program(model, schedule)

def compiled():
    return {name for name in os.listdir(os.environ["DUMPED"]) if "update" in name}

before = [np.asarray(variable) for variable in variables_of(model)]
program.compile("fused", window)
assert program.compilation("fused").wait(), program.compilation("fused").error
unchanged = all(np.array_equal(a, np.asarray(b)) for a, b in zip(before, variables_of(model), strict=True))
known = compiled()
program.run("fused", window, 0, window.end)
print(unchanged, len(known) > 0, len(compiled() - known), int(model.optimizer.iterations))
"""


def test_an_update_is_compiled_beside_the_training_and_not_as_it_first_runs(tmp_path):
    """In a process of its own, for XLA reads only once that it is to write down what it compiles."""
    environment = os.environ | {"XLA_FLAGS": f"--xla_dump_to={tmp_path}", "DUMPED": str(tmp_path)}
    outcome = subprocess.run(
        [sys.executable, "-c", COMPILE_AND_RUN], env=environment, capture_output=True, text=True, check=False
    )
    assert outcome.stdout.split() == ["True", "True", "0", "3"], outcome.stderr[-2000:]


def test_what_no_gradient_reaches_is_left_as_it_is_by_a_fused_update(table):
    x, y = table
    model = keras.Sequential([layers.Input((6,)), layers.Dense(4), Stopped(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    before = [np.asarray(weight) for weight in model.weights]
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        fit(model, x[:, :6], y, epochs=1, plan=((0, "fused"),))
    changes = [np.abs(np.asarray(now) - then).max() > 0 for now, then in zip(model.weights, before, strict=True)]
    assert changes == [False, False, True, True]


class Stopped(layers.Layer):
    """Lets no gradient through."""

    def call(self, inputs):
        return tf.stop_gradient(inputs)


def test_what_xla_cannot_compile_stays_plain(table):
    x, y = table

    class Unfit(layers.Layer):
        def call(self, inputs):
            return tf.ensure_shape(tf.py_function(lambda a: a, [inputs], tf.float32), inputs.shape)

    model = compiled(Unfit())
    loop = fit(model, x, y, batch_size=8, epochs=100_000, callbacks=[UntilChosen()])
    assert loop.pilot.variant(loop.step) == "plain"
    assert "XLA cannot compile" in loop.pilot.note


@pytest.mark.parametrize(
    ("examples", "batch", "epochs", "every", "steps"),
    [(60_000, 32, 5, 1, 1875), (400, 10, 2000, 25, 40), (120, 16, 100, 2, 8), (100, 100, 1000, 20, 1), (7, 3, 1, 1, 3)],
)
def test_decisions_fall_where_the_experiment_says(examples, batch, epochs, every, steps):
    schedule = Schedule(examples, batch, epochs)
    assert (schedule.every, schedule.steps_per_epoch) == (every, steps)
    assert schedule.total_steps == steps * epochs
    assert schedule.period(schedule.total_steps - 1)[1] == epochs


def test_each_epoch_has_an_order_of_its_own_whatever_came_before():
    schedule = Schedule(50, 10, 2000)
    rows = schedule.orders(0, seed=4, shuffle=True)
    assert all((np.sort(row) == np.arange(50)).all() for row in rows)
    np.testing.assert_array_equal(schedule.orders(schedule.every, 4, True)[0], np.random.default_rng(
        (4, schedule.every)).permutation(50))  # fmt: skip
    assert (rows[0] != rows[1]).any()


# Small loops in one piece


@pytest.mark.parametrize(("units", "is_whole"), [(8, True), (256, False)])
def test_xla_compiles_the_loop_of_a_small_network_as_one_piece(units, is_whole):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 2)).astype("float32"), rng.integers(0, 2, 500).astype("float32")
    stack = [layers.Dense(units, activation="tanh") for _ in range(3)]
    model = keras.Sequential([layers.Input((2,)), *stack, layers.Dense(1)])
    model.compile("sgd", "mse")
    build_all(model, (x, y))
    schedule = Schedule(500, 10, 1)
    program, window = Program(model, schedule), OnDevice((x, y), schedule, shuffle=True, seed=0).window(0)
    steps = tf.constant(0), tf.constant(0)
    compiled_to = program._functions["xla"].experimental_get_compiler_ir(
        window.data, window.orders, window.rates, *steps
    )(stage="optimized_hlo")
    assert ("xla_cpu_small_call" in compiled_to) is is_whole


def test_flags_of_the_environment_are_kept(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/somewhere --xla_cpu_experimental_ynn_fusion_type=dot")
    prefer_small()
    first, second, third = os.environ["XLA_FLAGS"].split()
    assert (first, second) == ("--xla_dump_to=/somewhere", "--xla_cpu_experimental_ynn_fusion_type=dot")
    assert third.rpartition("=")[2] == str(SMALL_LOOP_BYTES)
    prefer_small()
    assert os.environ["XLA_FLAGS"] == f"{first} {second} {third}"
