"""Experiments as Keras models: built, described, and their outputs read."""

import keras
import numpy as np
import pytest

from playground.data import describe as describe_data
from playground.engine.model import build_model, compile_model, describe, encode_targets, scores_of
from playground.engine.model.build import seed_for
from playground.spec import LOSSES, Experiment, parse_experiment, with_settings
from playground.spec.data import DataFacts

pytestmark = pytest.mark.keras

LIMIT = 4_000_000_000
DIGITS = parse_experiment(
    {
        "data": {"kind": "digits"},
        "model": {
            "layers": [
                {"kind": "Conv2D", "filters": 4},
                {"kind": "BatchNormalization"},
                {"kind": "Activation", "activation": "relu"},
                {"kind": "MaxPooling2D"},
                {"kind": "Dropout", "rate": 0.1},
                {"kind": "Flatten"},
                {"kind": "Dense", "units": 16},
            ]
        },
        "training": {"loss": "sparse_categorical_crossentropy"},
    }
)
FACTS = {
    "binary": DataFacts(task="binary", family="points", input_shape=(2,), class_names=("a", "b"), train=9, validation=0,
                        test=1),
    "multiclass": DataFacts(task="multiclass", family="table", input_shape=(4,), class_names=("a", "b", "c"), train=9,
                            validation=0, test=1),
    "regression": DataFacts(task="regression", family="table", input_shape=(4,), train=9, validation=0, test=1),
}  # fmt: skip


def described(experiment: Experiment, **options: int):
    return describe(experiment, describe_data(experiment.data), options.get("limit", LIMIT))


def test_the_description_is_keras_own():
    description = described(DIGITS)
    model = build_model(DIGITS, describe_data(DIGITS.data))
    assert description.error == ""
    assert [row.output_shape for row in description.rows] == [layer.output.shape[1:] for layer in model.layers[1:]]
    assert [row.parameters for row in description.rows] == [layer.count_params() for layer in model.layers[1:]]
    assert description.parameters == model.count_params()
    assert description.trainable == sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert [row.id for row in description.rows][:2] == ["conv2d_1", "batchnormalization_1"]


def test_flops_are_the_multiplications_and_additions():
    rows = {row.kind: row for row in described(DIGITS).rows}
    assert rows["Conv2D"].flops == 6 * 6 * 4 * (2 * 9 + 1)
    assert rows["Dense"].flops == 10 * (2 * 16 + 1)  # the last one named Dense is the output


def test_describing_allocates_nothing_and_names_the_layer():
    huge = with_settings(DIGITS, ["model.layers.0.filters=4096", "model.layers.6.units=65536"])
    description = described(huge)
    assert "GB to train" in description.error
    assert description.error_index == 6


@pytest.mark.parametrize(
    ("settings", "index", "said"),
    [
        (["model.layers.0.kernel_size=9"], 0, "window larger than its 8×8×1 input"),
        (["model.layers.3.pool_size=7"], 3, "window larger"),
        (["model.layers.0.strides=2", "model.layers.0.dilation_rate=2"], 0, "Set one of the two to 1"),
        (['model.layers.5={"kind": "Dense"}'], 5, "Add a Flatten layer before it"),
        (['model.layers.0={"kind": "Flatten"}'], 3, "needs a picture"),
        (["model.output.units=4"], -1, "needs 10"),
    ],
)
def test_an_error_names_its_layer_and_the_remedy(settings, index, said):
    description = described(with_settings(DIGITS, settings))
    assert said in description.error
    assert description.error_index == index
    assert "\n" not in description.error


def test_weights_follow_from_seed_and_layer_id_alone():
    facts = describe_data(DIGITS.data)
    first = build_model(DIGITS, facts)
    keras.layers.Dense(3)(np.ones((1, 2), "float32"))  # something else draws from Keras's global stream
    second, other = build_model(DIGITS, facts), build_model(DIGITS.model_copy(update={"seed": 1}), facts)
    for a, b in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    assert np.abs(np.asarray(first.get_layer("dense_1").kernel) - np.asarray(other.get_layer("dense_1").kernel)).max()
    assert seed_for(0, "dense_1", "kernel_initializer") != seed_for(0, "dense_2", "kernel_initializer")


CASES = [(loss, task) for loss in LOSSES for task in loss.targets]


@pytest.mark.parametrize(("loss", "task"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_every_loss_fits_its_task(loss, task):
    kind, facts = loss.model_fields["kind"].default, FACTS[task]
    data = {"binary": "moons", "multiclass": "iris", "regression": "diabetes"}[task]
    experiment = parse_experiment(
        {
            "data": {"kind": data},
            "model": {"layers": [{"kind": "Dense", "units": 4}]},
            "training": {"loss": kind, "metrics": ["mean_squared_error" if task == "regression" else "accuracy"]},
        }
    )
    model = build_model(experiment, facts)
    compile_model(model, experiment, facts)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, *facts.input_shape)).astype("float32")
    y = (
        rng.random(9).astype("float32")
        if task == "regression"
        else np.arange(9, dtype="int32") % len(facts.class_names)
    )
    logs = model.evaluate(x, encode_targets(y, experiment, facts), verbose=0, return_dict=True)
    assert np.isfinite(logs["loss"])
    scores = scores_of(np.asarray(model(x)), experiment, facts)
    if task == "regression":
        assert scores.shape == (9,)
        assert logs["mean_squared_error"] == pytest.approx(np.mean((scores - y) ** 2), rel=1e-4)
        return
    chosen = (scores > 0.5).astype(int) if task == "binary" else scores.argmax(axis=1)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.shape == ((9,) if task == "binary" else (9, 3))
    assert logs["accuracy"] == pytest.approx(np.mean(chosen == y), abs=1e-6)


def test_a_linear_output_under_a_cross_entropy_gives_logits():
    logits = with_settings(DIGITS, ["model.output.activation=linear"])
    facts = describe_data(DIGITS.data)
    x, y = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32"), np.arange(5, dtype="int32")
    losses, scores = [], []
    for experiment in (DIGITS, logits):
        model = build_model(experiment, facts)
        compile_model(model, experiment, facts)
        losses.append(model.evaluate(x, y, verbose=0))
        scores.append(scores_of(np.asarray(model(x)), experiment, facts))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4, atol=1e-6)
