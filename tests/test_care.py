"""The care of a training against plain ``model.fit`` of models built by hand: losses, weights, averages."""

import itertools
from contextlib import closing
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.utils.class_weight import compute_class_weight

from playground.data import describe, load
from playground.engine.model import build_model, compile_model, encode_targets
from playground.engine.model.restore import restore
from playground.engine.model.weighting import class_weights_of, sample_weights
from playground.engine.training import Loop, fit
from playground.engine.training import step as step_module
from playground.errors import SpecError
from playground.evaluation.health import Health
from playground.lab import edits
from playground.spec import Experiment, changed, check, parse_experiment, with_settings
from playground.spec.data import DataFacts, Diabetes
from playground.spec.saved import Saved
from playground.store import open_store
from tests.runs import trained

pytestmark = pytest.mark.keras

EXAMPLES, CLASSES = 150, 3
FACTS = DataFacts(
    task="multiclass", family="table", input_shape=(6,), class_names=("a", "b", "c"), train=EXAMPLES, validation=0,
    test=0,
)  # fmt: skip
BASE = parse_experiment(
    {
        "data": {"kind": "iris"},
        "model": {"layers": [{"kind": "Dense", "units": 16}]},
        "training": {
            "loss": "sparse_categorical_crossentropy",
            "optimizer": {"kind": "Adam", "learning_rate": 0.01},
            "metrics": ["accuracy"],
        },
    }
)


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    """150 × 6 numbers in three classes of 90, 45 and 15."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(CLASSES), (90, 45, 15)).astype("int32")
    rng.shuffle(y)
    return (rng.normal(size=(EXAMPLES, 6)) + y[:, None]).astype("float32"), y


def ours(experiment: Experiment, x: np.ndarray, y: np.ndarray, variant: str, batch_size: int) -> tuple[Loop, Any]:
    """Trained by the loop as a run does it; and its starting weights."""
    model = build_model(experiment, FACTS)
    compile_model(model, experiment, FACTS)
    start = model.get_weights()
    weights = class_weights_of(y, experiment, CLASSES)
    targets = encode_targets(y, experiment, FACTS)
    loop = fit(
        model, x, targets, sample_weight=None if weights is None else sample_weights(y, weights), epochs=4,
        batch_size=batch_size, shuffle=False, plan=((0, variant),), validation_data=(x, targets),
    )  # fmt: skip
    return loop, start


@pytest.fixture(scope="module")
def carefree(table) -> list[np.ndarray]:
    """The weights after a training without any care."""
    return [np.asarray(value) for value in ours(BASE, *table, "plain", 32)[0].learner.program.weights()]


class ByHand:
    """A Keras model as one writes it, by default the one of ``BASE``."""

    def __init__(self, **options: Any) -> None:
        self.optimizer: dict[str, Any] = options.pop("optimizer", {})
        self.hidden: dict[str, Any] = options.pop("hidden", {})
        self.loss: Any = options.pop("loss", "sparse_categorical_crossentropy")
        self.fit: dict[str, Any] = options.pop("fit", {})
        self.onehot, self.float16 = options.pop("onehot", False), options.pop("float16", False)

    def trained(
        self, start: list[np.ndarray], x: np.ndarray, y: np.ndarray, batch_size: int
    ) -> tuple[keras.Model, dict[str, list[float]]]:
        hidden = layers.Dense(16, activation="relu", **self.hidden)
        model = keras.Sequential([layers.Input((6,)), hidden, layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.Adam(0.01, **self.optimizer)
        model.compile(
            keras.optimizers.LossScaleOptimizer(optimizer) if self.float16 else optimizer, self.loss,
            metrics=["accuracy"],
        )  # fmt: skip
        model.set_weights(start)
        targets = np.eye(3, dtype="float32")[y] if self.onehot else y
        history = model.fit(x, targets, batch_size=batch_size, epochs=4, shuffle=False, verbose=0, **self.fit)
        return model, {**history.history, "after": [model.evaluate(x, targets, verbose=0)[0]]}


CASES: dict[str, tuple[list[str], ByHand]] = {
    "clipvalue": (["optimizer.clipvalue=0.01"], ByHand(optimizer={"clipvalue": 0.01})),
    "clipnorm": (["optimizer.clipnorm=0.05"], ByHand(optimizer={"clipnorm": 0.05})),
    "global_clipnorm": (["optimizer.global_clipnorm=0.05"], ByHand(optimizer={"global_clipnorm": 0.05})),
    "weight_decay": (["optimizer.weight_decay=0.5"], ByHand(optimizer={"weight_decay": 0.5})),
    "averages": (
        ["optimizer.use_ema=true", "optimizer.ema_momentum=0.8"],
        ByHand(optimizer={"use_ema": True, "ema_momentum": 0.8}),
    ),
    "label_smoothing": (
        ["loss.label_smoothing=0.2"],
        ByHand(loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.2), onehot=True),
    ),
    "balanced": (
        ['class_weight="balanced"'], ByHand(fit={"class_weight": {0: 150 / 270, 1: 150 / 135, 2: 150 / 45}})
    ),
    "class_weight": (["class_weight=[1, 0, 5]"], ByHand(fit={"class_weight": {0: 1.0, 1: 0.0, 2: 5.0}})),
    "l1_l2": (
        ["model.layers.0.l1=0.01", "model.layers.0.l2=0.02"],
        ByHand(hidden={"kernel_regularizer": keras.regularizers.L1L2(0.01, 0.02)}),
    ),
    "mixed_float16": (['precision="mixed_float16"'], ByHand(hidden={"dtype": "mixed_float16"}, float16=True)),
    "mixed_bfloat16": (['precision="mixed_bfloat16"'], ByHand(hidden={"dtype": "mixed_bfloat16"})),
    "all_together": (
        ["optimizer.global_clipnorm=0.1", "optimizer.weight_decay=0.1", "optimizer.use_ema=true",
         'class_weight="balanced"', "loss.label_smoothing=0.1", 'precision="mixed_float16"'],
        ByHand(
            optimizer={"global_clipnorm": 0.1, "weight_decay": 0.1, "use_ema": True},
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1), onehot=True, float16=True,
            hidden={"dtype": "mixed_float16"}, fit={"class_weight": {0: 150 / 270, 1: 150 / 135, 2: 150 / 45}},
        ),
    ),
}  # fmt: skip


def with_care(settings: list[str]) -> Experiment:
    paths = [setting if setting.startswith("model.") else f"training.{setting}" for setting in settings]
    return with_settings(BASE, paths)


@pytest.mark.parametrize(
    ("case", "how"), [*itertools.product(CASES, ("plain", "xla", "full batch")), ("all_together", "fused")]
)
def test_gives_what_fit_gives(case, how, table, carefree, monkeypatch):
    x, y = table
    settings, by_hand = CASES[case]
    monkeypatch.setattr(step_module, "MICRO_BATCH", 40)
    batch_size = EXAMPLES if how == "full batch" else 32
    loop, start = ours(with_care(settings), x, y, "plain" if how == "full batch" else how, batch_size)
    theirs, history = by_hand.trained(start, x, y, batch_size)
    is_coarse = "mixed" in str(settings)
    rtol, atol = (2e-2, 2e-3) if is_coarse else (3e-4, 3e-5)
    np.testing.assert_allclose([point.values["loss"] for point in loop.history], history["loss"], rtol=rtol)
    np.testing.assert_allclose(loop.history[-1].values["val_loss"], history["after"][0], rtol=rtol)
    for a, b in zip(loop.learner.program.weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(np.asarray(a), b, rtol=rtol, atol=atol)
    # And nothing was compared with nothing.
    if how == "plain":
        assert max(np.abs(a - b).max() for a, b in zip(carefree, theirs.get_weights(), strict=True)) > 1e-4


def test_averages_are_judged_and_the_weights_themselves_go_on(table):
    x, y = table
    experiment = with_care(["optimizer.use_ema=true", "optimizer.ema_momentum=0.9"])
    loop, _ = ours(experiment, x, y, "plain", 32)
    plain, _ = ours(BASE, x, y, "plain", 32)
    with loop.learner.seat() as program:
        for a, b in zip(program.model.variables, plain.learner.program.model.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
        with program.averages.in_place():
            loss = program.model.evaluate(x, encode_targets(y, experiment, FACTS), verbose=0)[0]
    assert loop.history[-1].values["val_loss"] == pytest.approx(loss, rel=1e-5)
    assert loop.history[-1].values["val_loss"] != plain.history[-1].values["val_loss"]


def test_before_the_first_step_there_is_no_average():
    model = build_model(BASE, FACTS)
    experiment = with_care(["optimizer.use_ema=true"])
    compile_model(model, experiment, FACTS)
    x, y = np.zeros((4, 6), "f4"), np.zeros(4, "i4")
    loop = fit(model, x, y, epochs=0, execution="plain")
    for value, variable in zip(loop.learner.program.weights(), model.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(value), np.asarray(variable))


@pytest.mark.parametrize("seed", range(3))
def test_balanced_weights_are_those_of_scikit_learn(seed):
    y = np.random.default_rng(seed).choice(3, 200, p=[0.7, 0.25, 0.05]).astype("int32")
    experiment = with_care(['class_weight="balanced"'])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    np.testing.assert_allclose(class_weights_of(y, experiment, 3), expected)
    np.testing.assert_allclose(sample_weights(y, tuple(expected)), expected[y], rtol=1e-6)


def test_a_class_without_examples_weighs_nothing():
    experiment = with_care(['class_weight="balanced"'])
    assert class_weights_of(np.array([0, 0, 2]), experiment, 3) == (0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["training.optimizer.clipnorm=1", "training.optimizer.clipvalue=1"], "keep one way of clipping"),
        (["training.class_weight=[1, 2]"], "2 class weights for 3 classes"),
        (["training.class_weight=[0, 0, 0]"], "Raise one"),
        (['training.class_weight="even"'], "training.class_weight"),
        (['training.stop_rules=[{"kind": "early_stopping", "monitor": "val_loss"}]'], "does not report"),
        (['training.stop_rules=[{"kind": "early_stopping"}, {"kind": "early_stopping"}]'], "one kind twice"),
        (["training.optimizer.use_ema=true", "training.optimizer.ema_momentum=1"], "ema_momentum"),
    ],
)
def test_what_cannot_be_is_refused_in_words(settings, said):
    with pytest.raises(SpecError, match=said):
        check(with_settings(BASE, settings), FACTS)


def test_a_regression_has_no_class_weights():
    experiment = with_settings(BASE, ['training.class_weight="balanced"'])
    moved = edits.with_data(experiment, Diabetes())
    assert moved.training.class_weight is None
    with pytest.raises(SpecError, match="need classes"):
        check(edits.with_training(moved, class_weight="balanced"), describe(moved.data))


def test_other_data_keep_only_the_rules_that_watch_what_is_reported():
    rules = '[{"kind": "early_stopping"}, {"kind": "stop_at_score"}, {"kind": "time_limit"}]'
    experiment = with_settings(BASE, [f"training.stop_rules={rules}"])
    kept = edits.with_data(experiment, Diabetes()).training.stop_rules
    assert [rule.kind for rule in kept] == ["early_stopping", "time_limit"]


def test_another_optimizer_keeps_clipping():
    clipped = with_settings(BASE, ["training.optimizer.clipnorm=2", "training.optimizer.weight_decay=0.5"])
    optimizer = edits.with_optimizer_kind(clipped, "AdamW").training.optimizer
    assert (optimizer.clipnorm, optimizer.weight_decay) == (2, 0.004)


def test_a_gain_multiplies_what_the_initializer_draws():
    gained = with_settings(BASE, ["model.layers.0.kernel_gain=3", "model.output.kernel_gain=0.5"])
    scaled = changed(gained, model=changed(gained.model, weight_scale=2.0))
    start = build_model(BASE, FACTS).get_weights()
    for experiment, factors in ((gained, (3, 0.5)), (scaled, (6, 1))):
        found = build_model(experiment, FACTS).get_weights()
        np.testing.assert_allclose(found[0], factors[0] * start[0], rtol=1e-6)
        np.testing.assert_allclose(found[2], factors[1] * start[2], rtol=1e-6)


def test_no_care_changes_no_fingerprint():
    assert with_settings(BASE, ["training.precision=float32"]).fingerprint() == BASE.fingerprint()
    for settings, _ in CASES.values():
        assert with_care(settings).fingerprint() != BASE.fingerprint()


PICTURES = [
    {"kind": "Conv2D", "filters": 4},
    {"kind": "BatchNormalization"},
    {"kind": "MaxPooling2D"},
    {"kind": "Dropout", "rate": 0.1},
    {"kind": "Flatten"},
    {"kind": "Dense", "units": 16},
]


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("data", "stack"), [("moons", [{"kind": "Dense", "units": 8}]), ("digits", PICTURES)], ids=["points", "pictures"]
)
def test_a_run_in_mixed_precision_has_everything_that_others_have(precision, data, stack, settings):
    loss = "binary_crossentropy" if data == "moons" else "sparse_categorical_crossentropy"
    optimizer = {"kind": "Adam", "learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9, "global_clipnorm": 1.0}
    training = {"loss": loss, "epochs": 6, "metrics": ["accuracy"], "optimizer": optimizer, "precision": precision}
    experiment = parse_experiment({"data": {"kind": data}, "model": {"layers": stack}, "training": training})
    run = trained(settings, experiment)
    assert run.scores["val_accuracy"] > 0.6
    with closing(open_store(settings.database, settings.artifacts)) as store:
        restored = restore(store, Saved(run=run.id))
        y_score = store.read_arrays(run.id, "predictions")["y_score_test"]
    x_test = load(experiment.data, 0, ()).x_test
    np.testing.assert_allclose(restored.scores(x_test), y_score, atol=0.03)  # looked into in 32 bits
    assert {layer.compute_dtype for layer in restored.model.layers} == {"float32"}


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_the_health_of_a_training_is_measured_in_mixed_precision_too(precision, settings):
    """Gradients without the factor that scales the loss, and the step that the optimizer makes of them."""
    optimizer = {"kind": "SGD", "learning_rate": 0.1}
    found = []
    for asked in ("float32", precision):
        experiment = parse_experiment(
            {
                "data": {"kind": "moons"},
                "model": {"layers": [{"kind": "Dense", "units": 8}, {"kind": "Dense", "units": 8}]},
                "training": {"epochs": 1, "optimizer": optimizer, "precision": asked},
            }
        )
        run = trained(settings, experiment)
        with closing(open_store(settings.database, settings.artifacts)) as store:
            found.append(Health.from_arrays(store.read_arrays(run.id, "health")))
    exact, mixed = found
    kernels = [number for number, name in enumerate(exact.names.variables) if name.endswith("kernel")]
    for column in ("gradient", "ratio"):
        first, second = exact.of_variables(column)[0, kernels], mixed.of_variables(column)[0, kernels]
        np.testing.assert_allclose(second, first, rtol=0.03, atol=0.02)
