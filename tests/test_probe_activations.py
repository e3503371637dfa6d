"""Activations, gradients, saliency and Grad-CAM against plain Keras and GradientTape code, and finite differences."""

import math
from contextlib import closing

import numpy as np
import pytest

from playground.data import describe as describe_data
from playground.errors import NotFound, SpecError
from playground.settings import Settings
from playground.spec import LAYERS, parse_experiment
from playground.spec.probes import Activations, GradCam, Saliency, Strongest, Units
from playground.spec.saved import Saved
from tests.runs import run_in

pytestmark = pytest.mark.keras

CROSSENTROPY = {"kind": "sparse_categorical_crossentropy"}
DIGITS = {"kind": "digits", "scaling": "minmax"}
CNN = [
    {"kind": "Conv2D", "id": "conv", "filters": 5},
    {"kind": "BatchNormalization", "id": "norm"},
    {"kind": "MaxPooling2D", "id": "pool"},
    {"kind": "Flatten", "id": "flat"},
    {"kind": "Dropout", "id": "drop", "rate": 0.5},
    {"kind": "Dense", "id": "hidden", "units": 12, "activation": "tanh"},
]


def experiment(layers, data=DIGITS, loss=CROSSENTROPY, **training):
    return parse_experiment(
        {"data": data, "model": {"layers": layers}, "training": {"loss": loss, "metrics": [], **training}}
    )


def subject_of(asked, tmp_path):
    """The network as it starts, with biases that are not all 0."""
    from playground.engine.model import build_model
    from playground.engine.model.restore import Restored
    from playground.engine.probes import Subject

    facts = describe_data(asked.data)
    model = build_model(asked, facts)
    rng = np.random.default_rng(1)
    for weight in model.trainable_variables:
        if len(weight.shape) == 1:
            weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    return Subject(Restored(model, asked, facts, 0.0), Settings(home=tmp_path))


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    return subject_of(experiment(CNN), tmp_path_factory.mktemp("cnn"))


def ask(subject, asked, inputs=None):
    from playground.engine.probes import PROBES

    return PROBES[type(asked)](subject, asked, inputs)


def layer_by_layer(model, x):
    """Every layer's output, applied one after the other in inference mode."""
    outputs = []
    for layer in model.layers[1:]:
        x = layer(x, training=False)
        outputs.append(x)
    return outputs


def whole(tiles, shape):
    """A sheet of feature maps or units, back in the shape of the layer's output."""
    return np.moveaxis(tiles[0], 0, -1).reshape(shape)


def close(ours, theirs):
    """Equal to 1e-4 of each number, and of the largest where a number is nearly 0."""
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6 * max(float(np.abs(theirs).max()), 1e-6))


class TestActivations:
    def test_outputs_and_gradients_are_those_of_plain_code(self, cnn):
        import tensorflow as tf

        found = ask(cnn, Activations(part="test", index=7))
        model, (x, y) = cnn.model, cnn.part("test")
        with tf.GradientTape() as tape:
            image = tf.constant(x[7:8])
            tape.watch(image)
            outputs = layer_by_layer(model, image)
            loss = -tf.math.log(outputs[-1][0, int(y[7])])
        *by_output, by_input = tape.gradient(loss, [*outputs, image])
        assert found["of"] == "loss"
        assert found["target"] == y[7]
        assert found["value"] == pytest.approx(float(loss), rel=1e-4)
        rows = found["layers"]
        close(whole(rows[0]["gradient"]["tiles"], (8, 8, 1)), by_input[0])
        for row, output, gradient in list(zip(rows[1:], outputs, by_output, strict=True))[:-1]:
            close(whole(row["output"]["tiles"], output.shape[1:]), output[0])
            close(whole(row["gradient"]["tiles"], output.shape[1:]), gradient[0])
        # Of a cross-entropy by the logits of a softmax: p − y.
        assert [row["by_logits"] for row in rows] == [False] * (len(rows) - 1) + [True]
        close(whole(rows[-1]["gradient"]["tiles"], (10,)), outputs[-1][0] - tf.one_hot(y[7], 10))

    def test_weights_and_their_gradients_are_those_of_plain_code(self, cnn):
        import tensorflow as tf

        rows = {row["id"]: row for row in ask(cnn, Activations(part="test", index=7))["layers"]}
        model, (x, y) = cnn.model, cnn.part("test")
        with tf.GradientTape() as tape:
            loss = -tf.math.log(model(x[7:8], training=False)[0, int(y[7])])
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        by_path = {v.path: g.numpy() for v, g in zip(model.trainable_variables, gradients, strict=True)}
        for layer in model.layers[1:]:
            for weight, shown in zip(layer.weights, rows[layer.name]["weights"], strict=True):
                assert shown["name"] == weight.name
                close(shown["values"]["tiles"], sheet(weight.numpy()))
                if weight.path in by_path:
                    close(shown["gradient"]["tiles"], sheet(by_path[weight.path]))
                else:
                    assert shown["gradient"] is None
                    assert weight.name.startswith("moving")

    def test_numbers_describe_the_whole_array(self, cnn):
        row = ask(cnn, Activations(index=3))["layers"][1]["output"]
        values = layer_by_layer(cnn.model, cnn.part("test")[0][3:4])[0].numpy()
        assert row["shape"] == (6, 6, 5)
        assert (row["min"], row["max"]) == (values.min(), values.max())
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-5)
        assert row["std"] == pytest.approx(values.std(), rel=1e-5)
        assert row["zeros"] == np.mean(values == 0) > 0

    def test_without_a_target_it_is_the_score_of_the_predicted_class(self, cnn):
        import tensorflow as tf

        x = cnn.part("test")[0][:1]
        found = ask(cnn, Activations(), x)
        head = cnn.model.layers[-1]
        with tf.GradientTape() as tape:
            image = tf.constant(x)
            tape.watch(image)
            hidden = layer_by_layer(cnn.model, image)[-2]
            scores = tf.matmul(hidden, head.kernel) + head.bias
            score = tf.reduce_max(scores)
        assert (found["of"], found["target"]) == ("score", None)
        assert found["predicted"] == int(np.argmax(scores))
        assert found["value"] == pytest.approx(float(score), rel=1e-5)
        close(whole(found["layers"][0]["gradient"]["tiles"], (8, 8, 1)), tape.gradient(score, image)[0])
        assert found["layers"][-1]["gradient"] is None

    def test_gradients_of_an_input_from_outside_are_for_its_target(self, cnn):
        x, y = cnn.part("test")
        ours = ask(cnn, Activations(target=float(y[4])), x[4:5])
        theirs = ask(cnn, Activations(part="test", index=4))
        assert ours["value"] == theirs["value"]

    def test_a_large_network_gives_a_bounded_answer(self, tmp_path):
        wide = [{"kind": "Flatten"}, {"kind": "Dense", "units": 4096}, {"kind": "Dense", "units": 700}]
        found = ask(subject_of(experiment(wide), tmp_path), Activations())
        tiles = [row["output"]["tiles"] for row in found["layers"]]
        tiles += [weight["values"]["tiles"] for row in found["layers"] for weight in row["weights"]]
        assert max(map(np.size, tiles)) <= 32 * 8 * 64 * 64
        assert found["layers"][2]["output"]["columns"] == 4096
        assert found["layers"][3]["weights"][0]["values"]["step"] == math.ceil(4096 / 256)

    def test_a_kernel_over_a_flattened_picture_is_a_picture_a_unit(self, tmp_path):
        subject = subject_of(experiment([{"kind": "Flatten"}, {"kind": "Dense", "id": "d", "units": 6}]), tmp_path)
        row = ask(subject, Activations())["layers"][2]
        kernel = subject.model.get_layer("d").kernel.numpy()
        np.testing.assert_array_equal(row["weights"][0]["values"]["tiles"][0, 4], kernel[:, 4].reshape(8, 8))


def sheet(values):
    """Weights as small pictures, written out: see engine/probes/tiles.py."""
    if values.ndim == 4:
        return np.array([[values[:, :, c, f] for f in range(values.shape[3])] for c in range(values.shape[2])])
    if values.ndim == 1:
        return values[None, :, None, None]
    if values.shape[0] == 45:  # behind Flatten of 3×3 pixels in 5 channels
        return np.array([[values[c::5, u].reshape(3, 3) for u in range(values.shape[1])] for c in range(5)])
    return np.array([[values[None, :, u] for u in range(values.shape[1])]])


def in_float64(subject):
    """The same network in double precision."""
    import keras

    from playground.engine.model.restore import Restored
    from playground.engine.probes import Subject

    def wider(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    model = keras.models.clone_model(
        subject.model, input_tensors=keras.Input(subject.model.input_shape[1:], dtype="float64"), clone_function=wider
    )
    model.set_weights(subject.model.get_weights())
    restored = subject.restored
    return Subject(Restored(model, restored.experiment, restored.facts, 0.0), subject._settings)


class TestFiniteDifferences:
    STEP = 1e-6
    # Blank corners of a digit tie in max pooling, and there no derivative is: noise has one.
    NOISE = np.random.default_rng(5).uniform(0, 1, (1, 8, 8, 1))

    def test_of_the_input(self, cnn):
        double = in_float64(cnn)
        x = self.NOISE
        found = ask(double, Saliency(classes=(3, 8)), x)
        assert found["maps"].dtype == np.float64
        places = np.random.default_rng(0).choice(x.size, 12, replace=False)
        for k, ours in zip((3, 8), found["maps"], strict=True):
            for place in places:
                nudge = np.zeros(x.size)
                nudge[place] = self.STEP
                up, down = (self.score(double.model, x + sign * nudge.reshape(x.shape), k) for sign in (1, -1))
                np.testing.assert_allclose(ours.ravel()[place], (up - down) / (2 * self.STEP), rtol=1e-4, atol=1e-7)

    @pytest.mark.parametrize("layer", ["conv", "norm", "hidden", "output"])
    def test_of_the_weights(self, cnn, layer):
        import tensorflow as tf

        from playground.engine.probes.trace import class_scores, derive

        double, x = in_float64(cnn), self.NOISE
        found = derive(double, tf.constant(x), lambda outputs: class_scores(double, outputs, [3])[0])
        variable = double.model.get_layer(layer).trainable_variables[0]
        before, ours = variable.numpy(), found.by_variable[variable.path].numpy()
        for place in np.random.default_rng(0).choice(before.size, min(8, before.size), replace=False):
            moved = []
            for sign in (1, -1):
                after = before.copy().ravel()
                after[place] += sign * self.STEP
                variable.assign(after.reshape(before.shape))
                moved.append(self.score(double.model, x, 3))
            variable.assign(before)
            theirs = (moved[0] - moved[1]) / (2 * self.STEP)
            np.testing.assert_allclose(ours.ravel()[place], theirs, rtol=1e-4, atol=1e-7)

    @staticmethod
    def score(model, x, k):
        """The logit of a class, in NumPy from the last hidden layer on."""
        head = model.layers[-1]
        return float((np.asarray(layer_by_layer(model, x)[-2]) @ head.kernel.numpy() + head.bias.numpy())[0, k])


class TestSaliency:
    def test_integrated_gradients_sum_to_the_difference_of_scores(self, cnn):
        found = ask(cnn, Saliency(method="integrated_gradients", steps=256, classes=(3, 8)))
        sums = found["maps"].reshape(2, -1).sum(axis=1)
        np.testing.assert_allclose(sums, found["scores"] - found["baseline_scores"], rtol=2e-3, atol=2e-3)

    def test_integrated_gradients_are_those_of_plain_code(self, cnn):
        import tensorflow as tf

        x = cnn.part("test")[0][5:6]
        found = ask(cnn, Saliency(method="integrated_gradients", steps=10, classes=(2,)), x)
        head, total = cnn.model.layers[-1], np.zeros_like(x)
        for step in range(10):
            with tf.GradientTape() as tape:
                point = tf.constant(x * np.float32((step + 0.5) / 10))
                tape.watch(point)
                hidden = layer_by_layer(cnn.model, point)[-2]
                score = (tf.matmul(hidden, head.kernel) + head.bias)[0, 2]
            total += tape.gradient(score, point).numpy() / 10
        close(found["maps"][0], (total * x)[0])

    @pytest.mark.parametrize("layer", ["conv", "norm", "pool"])
    def test_grad_cam_is_that_of_plain_code(self, cnn, layer):
        import tensorflow as tf

        found = ask(cnn, GradCam(index=2, classes=(3, 8), layer=layer))
        x, head = cnn.part("test")[0][2:3], cnn.model.layers[-1]
        at = [one.name for one in cnn.model.layers[1:]].index(layer)
        for k, ours in zip((3, 8), found["maps"], strict=True):
            with tf.GradientTape() as tape:
                outputs = layer_by_layer(cnn.model, tf.constant(x))
                score = (tf.matmul(outputs[-2], head.kernel) + head.bias)[0, k]
            gradient = tape.gradient(score, outputs[at]).numpy()[0]
            maps = outputs[at].numpy()[0]
            close(ours, np.maximum(sum(gradient[..., c].mean() * maps[..., c] for c in range(5)), 0))

    def test_the_last_layer_that_sees_anything_is_taken_where_none_is_named(self, cnn):
        taken = set()
        for index in range(12):
            found = ask(cnn, GradCam(index=index))
            assert found["layers"] == ["conv", "norm", "pool"]
            seen = {name: ask(cnn, GradCam(index=index, layer=name))["maps"].any() for name in found["layers"]}
            assert found["layer"] == next((name for name in reversed(seen) if seen[name]), "conv")
            taken.add(found["layer"])
        assert "pool" in taken

    def test_two_classes_of_one_output_mirror_each_other(self, tmp_path):
        moons = experiment([{"kind": "Dense", "units": 4}], {"kind": "moons"}, {"kind": "binary_crossentropy"})
        maps = ask(subject_of(moons, tmp_path), Saliency(classes=(0, 1)))["maps"]
        np.testing.assert_array_equal(maps[0], -maps[1])

    def test_of_a_regression_it_is_the_output(self, tmp_path):
        diabetes = experiment([], {"kind": "diabetes"}, {"kind": "mean_squared_error"})
        subject = subject_of(diabetes, tmp_path)
        maps = ask(subject, Saliency())["maps"]
        np.testing.assert_allclose(maps[0], subject.model.get_layer("output").kernel.numpy()[:, 0], rtol=1e-6)


class TestUnits:
    @pytest.fixture
    def idle(self, tmp_path):
        """A relu layer with unit 2 dead, a tanh and a sigmoid layer with unit 1 saturated."""
        layers = [
            {"kind": "Flatten"},
            {"kind": "Dense", "id": "relu", "units": 5},
            {"kind": "Dense", "id": "tanh", "units": 4, "activation": "tanh"},
            {"kind": "Dense", "id": "sigmoid", "units": 4, "activation": "sigmoid"},
        ]
        subject = subject_of(experiment(layers), tmp_path)
        for name, unit, bias in (("relu", 2, -1e3), ("tanh", 1, 50.0), ("sigmoid", 1, -50.0)):
            layer = subject.model.get_layer(name)
            biases = layer.bias.numpy()
            biases[unit] = bias
            layer.bias.assign(biases)
        return subject

    def test_dead_and_saturated_units_are_counted_and_named(self, idle):
        rows = {row["id"]: row for row in ask(idle, Units(examples=100))["layers"]}
        outputs = layer_by_layer(idle.model, idle.part("test")[0])
        assert 2 in rows["relu"]["dead"]
        assert rows["relu"]["saturated"] is None
        assert set(rows["relu"]["dead"]) == set(np.flatnonzero((outputs[1].numpy() == 0).all(axis=0)))
        assert rows["tanh"]["saturated"].tolist() == [1]
        assert rows["sigmoid"]["saturated"].tolist() == [1]
        assert rows["output"]["dead"] is None
        assert rows["output"]["saturated"] is None

    def test_a_histogram_holds_every_output(self, idle):
        found = ask(idle, Units(part="train", examples=60))
        row = found["layers"][2]
        x = idle.part("train")[0]
        chosen = x[np.unique(np.linspace(0, len(x) - 1, 60).round().astype(int))]
        values = layer_by_layer(idle.model, chosen)[2].numpy()
        counts, edges = np.histogram(values, 40)
        assert (found["examples"], row["counts"].sum(), len(row["edges"])) == (60, 60 * 4, 41)
        np.testing.assert_allclose(row["edges"], edges, rtol=1e-4)
        assert np.abs(row["counts"] - counts).sum() <= 4
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-4)

    @pytest.mark.parametrize("values", [[], [0.0] * 3, [1e30] * 3, [-3e38, 3e38], [1.0, np.nan, np.inf], [7.0, 7.5]])
    def test_a_histogram_of_extreme_values(self, values):
        from playground.evaluation.histogram import histogram

        counts, edges = histogram(np.array(values, np.float32))
        assert counts.sum() == np.isfinite(values).sum()
        assert (np.diff(edges) > 0).all()

    def test_the_strongest_examples_of_a_channel(self, cnn):
        found = ask(cnn, Strongest(layer="conv", unit=3, examples=2000, top=5))
        x, y = cnn.part("test")
        peaks = layer_by_layer(cnn.model, x)[0].numpy()[..., 3].max(axis=(1, 2))
        np.testing.assert_allclose(found["values"], np.sort(peaks)[::-1][:5], rtol=1e-5)
        np.testing.assert_allclose(found["values"], peaks[found["index"]], rtol=1e-5)
        np.testing.assert_array_equal(found["targets"], y[found["index"]])
        np.testing.assert_array_equal(found["x"], np.round(16 * x[found["index"]]))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
def test_every_layer_of_the_catalogue_is_shown(layer, tmp_path):
    """Each layer over a picture and over a vector, wherever Keras takes it: later layers are held to the same."""
    from playground.displays.layer_rows import LayerRows
    from playground.errors import LayerError

    kind = layer.model_fields["kind"].default
    shown = 0
    for before in ([], [{"kind": "Flatten"}]):
        layers = [*before, {"kind": kind, "id": "it"}, {"kind": "Flatten", "id": "flat"}]
        try:
            subject = subject_of(experiment(layers), tmp_path)
        except LayerError:
            continue
        shown += 1
        found = ask(subject, Activations())
        outputs = layer_by_layer(subject.model, subject.part("test")[0][:1])
        at = [row["id"] for row in found["layers"]].index("it")
        row = found["layers"][at]
        output = outputs[at - 1].numpy()[0]
        assert row["output"]["shape"] == output.shape
        assert row["output"]["max"] == pytest.approx(float(output.max()), rel=1e-4)
        assert row["gradient"] is not None
        assert np.isfinite(row["gradient"]["tiles"]).all()
        assert [weight["name"] for weight in row["weights"]] == [
            weight.name for weight in subject.model.get_layer("it").weights
        ]
        rows = LayerRows.from_answer(found)
        html = rows.html(rows.rows[at], "layer")
        assert html.count("<img") == 2 + len(row["weights"]) + sum(w["gradient"] is not None for w in row["weights"])
        assert bool(row["weights"]) != ("This layer has no weights." in html)
        assert any(one["id"] == "it" for one in ask(subject, Units(examples=20))["layers"])
        if output.ndim == 3:
            assert ask(subject, GradCam(layer="it"))["maps"].shape[1:] == output.shape[:2]
    assert shown


class TestBadInput:
    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            (Activations(index=10**6), r"There are \d+ test examples\. Choose one from 0 to"),
            (Saliency(classes=(10,)), r"There is no class number 10\. Choose one from 0 to 9\."),
            (GradCam(layer="hidden"), r"cannot look at the layer hidden\. Choose one of conv, norm, pool\."),
            (Strongest(layer="nowhere"), r"There is no layer nowhere\. Choose one of conv"),
            (Strongest(layer="conv", unit=5), r"has units 0 to 4\. Choose one of them\."),
        ],
    )
    def test_what_is_not_there_is_said_in_words(self, cnn, asked, says):
        with pytest.raises(SpecError, match=says):
            ask(cnn, asked)

    def test_a_target_that_is_no_class(self, cnn):
        with pytest.raises(SpecError, match=r"no class number 11"):
            ask(cnn, Activations(target=11), cnn.part("test")[0][:1])

    def test_several_inputs_at_once(self, cnn):
        with pytest.raises(SpecError, match=r"one input at a time and was given 2"):
            ask(cnn, Activations(), cnn.part("test")[0][:2])

    def test_an_input_of_the_wrong_size(self, cnn):
        with pytest.raises(SpecError, match=r"9×9×1 .* takes 8×8×1 numbers"):
            cnn.accept(np.zeros((1, 9, 9, 1), np.uint8))

    def test_grad_cam_needs_a_layer_of_pictures(self, tmp_path):
        iris = experiment([{"kind": "Dense"}], {"kind": "iris"})
        with pytest.raises(SpecError, match=r"needs a layer that gives pictures, and this network has none"):
            ask(subject_of(iris, tmp_path), GradCam())

    def test_a_regression_has_no_classes(self, tmp_path):
        diabetes = experiment([], {"kind": "diabetes"}, {"kind": "mean_squared_error"})
        with pytest.raises(SpecError, match=r"one output and no classes"):
            ask(subject_of(diabetes, tmp_path), Saliency(classes=(1,)))

    def test_an_infinite_output_is_shown_and_breaks_nothing(self, tmp_path):
        from playground.displays.layer_rows import LayerRows

        exploding = [{"kind": "Flatten"}, {"kind": "Dense", "id": "huge", "units": 4, "activation": "linear"}]
        subject = subject_of(experiment(exploding), tmp_path)
        huge = subject.model.get_layer("huge")
        huge.kernel.assign(huge.kernel * 3e38)
        huge.bias.assign(huge.bias * 0 + 3e38)
        found = ask(subject, Activations())
        rows = LayerRows.from_answer(found)
        for row in rows.rows:
            assert rows.html(row, "global")

    def test_weights_that_are_no_numbers(self, tmp_path):
        from playground.engine.probes import answer
        from playground.store import open_store

        settings = Settings(home=tmp_path)
        asked = experiment([{"kind": "Flatten"}])
        with closing(open_store(settings.database, settings.artifacts)) as store:
            run = run_in(store, asked)
            store.keep_epoch(run.id, 6, {"v0": np.full((64, 10), np.nan, "f4"), "v1": np.zeros(10, "f4")})
            with pytest.raises(SpecError, match=r"are not all numbers\. Choose an earlier epoch\."):
                answer(store, settings, Saved(run=run.id, epoch=6), Activations())
            with pytest.raises(NotFound, match=r"epoch 5\. Choose one of the kept epochs: 6\."):
                answer(store, settings, Saved(run=run.id, epoch=5), Activations())
