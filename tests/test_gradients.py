"""Gradients of one moment against plain TensorFlow written separately, and against finite differences in float64."""

from contextlib import closing
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from playground.data import load
from playground.engine.model.restore import restore
from playground.engine.probes import answer
from playground.errors import SpecError
from playground.settings import Settings
from playground.spec import LAYERS, changed, parse_experiment
from playground.spec.probes import GradientCheck, Gradients, SingularValues
from playground.spec.saved import Saved
from playground.store import open_store
from tests.runs import trained

pytestmark = pytest.mark.keras

DIGITS = parse_experiment(
    {
        "data": {"kind": "digits"},
        "model": {
            "layers": [
                {"kind": "Conv2D", "filters": 4, "id": "conv", "activation": "tanh"},
                {"kind": "BatchNormalization", "id": "norm"}, {"kind": "AveragePooling2D", "id": "pool"},
                {"kind": "Flatten", "id": "flat"}, {"kind": "Dropout", "id": "drop"},
                {"kind": "Dense", "units": 6, "activation": "softplus", "id": "hidden"},
            ]
        },
        "training": {
            "loss": {"kind": "sparse_categorical_crossentropy"}, "epochs": 2, "metrics": ["accuracy"],
            "execution": "plain",
        },
    }
)  # fmt: skip
MOONS = parse_experiment(
    {
        "data": {"kind": "moons", "samples": 200},
        "model": {"layers": [{"kind": "Dense", "units": 4, "activation": "tanh"}]},
        "training": {"epochs": 3, "execution": "plain"},
    }
)  # fmt: skip
DIABETES = parse_experiment(
    {
        "data": {"kind": "diabetes"}, "model": {"layers": [{"kind": "Dense", "units": 4, "activation": "gelu"}]},
        "training": {"loss": {"kind": "mean_squared_error"}, "epochs": 3, "execution": "plain"},
    }
)  # fmt: skip
EXPERIMENTS = {"digits": DIGITS, "moons": MOONS, "diabetes": DIABETES}


class Trained:
    """Runs of a module, trained once, to be asked about."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self._runs: dict[str, str] = {}

    def store(self):
        return open_store(self.settings.database, self.settings.artifacts)

    def saved(self, name: str) -> Saved:
        if name not in self._runs:
            self._runs[name] = trained(self.settings, EXPERIMENTS[name]).id
        return Saved(run=self._runs[name])

    def ask(self, name: str, asked, inputs=None):
        with closing(self.store()) as store:
            return answer(store, self.settings, self.saved(name), asked, inputs)

    def model(self, name: str) -> keras.Model:
        with closing(self.store()) as store:
            return restore(store, self.saved(name)).model


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("gradients"))


def plain_loss(name: str, y: np.ndarray, outputs, logits):
    """The textbook's formulas, in the dtype of what comes in."""
    y = tf.constant(y)
    if name == "digits":
        chosen = tf.gather(tf.nn.log_softmax(logits), y, axis=1, batch_dims=1)
        return -tf.reduce_mean(chosen)
    target = tf.cast(y, outputs.dtype)[:, None]
    if name == "moons":
        return tf.reduce_mean(tf.math.softplus(logits) - target * logits)
    return tf.reduce_mean(tf.square(outputs - target))


def forward(model: keras.Model, x):
    """Outputs of every layer and the logits of the last one, computed layer by layer."""
    outputs, a = [], x
    for layer in model.layers[1:-1]:
        a = layer(a, training=False)
        outputs.append(a)
    head = model.layers[-1]
    logits = a @ tf.convert_to_tensor(head.kernel) + tf.convert_to_tensor(head.bias)
    return outputs, logits, head.activation(logits)


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("examples", [1, 40])
def test_every_norm_is_that_of_a_plain_gradient_tape(runs, name, examples):
    found = runs.ask(name, Gradients(part="train", first=3, examples=examples))
    data = load(EXPERIMENTS[name].data, EXPERIMENTS[name].seed, ())
    x, y = tf.constant(data.x_train[3 : 3 + examples]), data.y_train[3 : 3 + examples]
    model = runs.model(name)
    variables = [v for layer in model.layers for v in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs, logits, last = forward(model, x)
        loss = plain_loss(name, y, last, logits)
    by = tape.gradient(loss, [x, *outputs, last if name == "diabetes" else logits, *(v.value for v in variables)])
    norms = [np.linalg.norm(np.asarray(g, np.float64)) for g in by]
    assert found["loss"] == pytest.approx(float(loss), rel=1e-4)
    assert found["input"] == pytest.approx(norms[0], rel=1e-4)
    np.testing.assert_allclose(found["outputs"], norms[1 : len(outputs) + 2], rtol=1e-4)
    np.testing.assert_allclose(found["weights"], norms[len(outputs) + 2 :], rtol=1e-4, atol=1e-7)
    assert found["variables"] == [f"{layer.name}/{v.name}" for layer in model.layers for v in layer.trainable_variables]


@pytest.mark.parametrize(
    ("name", "variable"), [("digits", "conv/kernel"), ("digits", "norm/gamma"), ("digits", "output/bias"),
                           ("moons", "dense_1/kernel"), ("diabetes", "output/kernel")],
)  # fmt: skip
def test_finite_differences_and_automatic_differentiation_agree(runs, name, variable):
    found = runs.ask(name, GradientCheck(variable=variable, entries=12))
    np.testing.assert_allclose(found["automatic"], found["numeric"], rtol=1e-4, atol=1e-7)
    assert found["relative"].max() < 1e-4


def test_the_check_is_right_itself(runs):
    """Both columns against a loss written out in NumPy, in double precision."""
    found = runs.ask("moons", GradientCheck(variable="dense_1/kernel", entries=8, examples=10))
    data, model = load(MOONS.data, MOONS.seed, ()), runs.model("moons")
    kernel, bias, out, out_bias = (v.numpy().astype(np.float64) for v in model.variables)
    x, y = data.x_train[:10].astype(np.float64), data.y_train[:10]

    def loss(kernel: np.ndarray) -> float:
        logits = (np.tanh(x @ kernel + bias) @ out + out_bias)[:, 0]
        return float(np.mean(np.logaddexp(0, logits) - y * logits))

    assert len(found["entries"]) == 8
    for entry, automatic, numeric in zip(found["entries"], found["automatic"], found["numeric"], strict=True):
        step = np.zeros_like(kernel)
        step[tuple(entry)] = 1e-6
        want = (loss(kernel + step) - loss(kernel - step)) / 2e-6
        assert automatic == pytest.approx(want, rel=1e-4, abs=1e-7)
        assert numeric == pytest.approx(want, rel=1e-4, abs=1e-7)


def test_asking_twice_gives_the_same_and_leaves_the_weights_alone(runs):
    before = [v.numpy() for v in runs.model("digits").variables]
    first, second = (runs.ask("digits", GradientCheck(variable="hidden/kernel", entries=4)) for _ in range(2))
    for key in ("entries", "automatic", "numeric"):
        np.testing.assert_array_equal(first[key], second[key])
    for a, b in zip(before, runs.model("digits").variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_singular_values_are_numpys(runs):
    kernel = runs.model("digits").get_layer("conv").kernel.numpy()
    found = runs.ask("digits", SingularValues(variable="conv/kernel"))
    np.testing.assert_allclose(found["values"], np.linalg.svd(kernel.reshape(9, 4))[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (GradientCheck(variable="flat/kernel"), "The layer flat has no weights. Choose one of conv/kernel,"),
        (GradientCheck(variable="nowhere/kernel"), "There is no variable 'nowhere/kernel'. Choose one of"),
        (SingularValues(variable="norm/gamma"), "norm/gamma is no matrix"),
        (Gradients(first=10**6), r"There are 1,\d+ train examples. Choose one from 0 to 1,"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(runs, asked, said):
    with pytest.raises(SpecError, match=said):
        runs.ask("digits", asked)


def test_an_input_without_an_answer_has_no_loss(runs):
    with pytest.raises(SpecError, match="needs the true answer to each input"):
        runs.ask("moons", Gradients(), np.zeros((1, 2), "float32"))


def test_weights_that_are_no_numbers_are_refused_in_a_sentence(runs):
    saved = runs.saved("moons")
    with closing(runs.store()) as store:
        arrays = store.read_epoch(saved.run, 0)
        store.keep_epoch(saved.run, 77, {**arrays, "v0": np.full_like(arrays["v0"], np.nan)})
        with pytest.raises(SpecError, match=r"are not all numbers\. Choose an earlier epoch"):
            answer(store, runs.settings, Saved(run=saved.run, epoch=77), Gradients())


IMAGE_LAYERS = ("Conv2D", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "Flatten")


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
def test_every_layer_of_the_catalogue_shows_its_gradient(layer, settings):
    kind = layer.__name__
    data = "digits" if kind in IMAGE_LAYERS else "iris"
    flat = [{"kind": "Flatten"}] if data == "digits" and kind not in ("Flatten", "GlobalAveragePooling2D") else []
    experiment = parse_experiment(
        {
            "data": {"kind": data}, "model": {"layers": [{"kind": kind, "id": "it"}, *flat]},
            "training": {
                "loss": {"kind": "sparse_categorical_crossentropy"}, "epochs": 1, "execution": "plain",
                "batch_size": "full",
            },
        }
    )  # fmt: skip
    run = trained(settings, experiment)
    with closing(open_store(settings.database, settings.artifacts)) as store:
        found = answer(store, settings, Saved(run=run.id), Gradients())
        assert found["outputs"][0] > 0
        owned = [name for name in found["variables"] if name.startswith("it/")]
        if owned:
            check = answer(store, settings, Saved(run=run.id), GradientCheck(variable=owned[0], entries=4))
            assert check["relative"].max() < 1e-4
        else:
            with pytest.raises(SpecError, match="has no weights"):
                answer(store, settings, Saved(run=run.id), GradientCheck(variable="it/kernel"))


def test_large_variables_are_sampled(runs):
    found = runs.ask("digits", GradientCheck(variable="hidden/kernel", entries=5))
    assert found["entries"].shape == (5, 2)
    assert changed(GradientCheck(), entries=200).entries == 200
