"""Strangers' model files: hostile ones are refused, quickly and without a trace; good ones keep their numbers."""

import resource
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from playground.engine.model.restore import restore
from playground.engine.reuse.gate_weights import group_names
from playground.engine.reuse.take_in import take_in
from playground.errors import ModelRefused
from playground.spec import LAYERS, Experiment, Model
from playground.spec.data import Digits
from playground.spec.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten
from playground.spec.losses import SparseCategoricalCrossentropy
from playground.spec.saved import Saved
from playground.spec.training import Training
from playground.store import open_store
from tests.model_files import HOSTILE, MARK, SECRET, functional, hdf5, keras_file, network, weights
from tests.runs import trained

pytestmark = pytest.mark.keras

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def store(settings):
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield store


@pytest.fixture
def library(store, settings):
    """Takes a file in, and gives the network as it is restored from the library."""

    def take(path: Path):
        card = take_in(store, settings, path, path.name, "ada")
        assert card == store.model(card.id)
        return card, restore(store, Saved(model=card.id))

    return take


def peak() -> int:
    """The most memory that this process has held, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name, store, settings, tmp_path):
    folder = tmp_path / "stranger"
    folder.mkdir()
    (folder / "secret").write_text(SECRET)
    make, reason = HOSTILE[name]
    before = keras.config.floatx(), keras.config.max_epochs()
    with socket.create_server(("127.0.0.1", 0)) as server:
        (folder / "url").write_text(f"http://127.0.0.1:{server.getsockname()[1]}/")
        server.setblocking(False)
        path = make(folder)
        used, held = resource.getrusage(resource.RUSAGE_CHILDREN), peak()
        with pytest.raises(ModelRefused) as refused:
            take_in(store, settings, path, path.name, "")
        with pytest.raises(BlockingIOError):
            server.accept()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor: what a clock says depends on what else this machine does. ``apart`` holds the clock's 9 seconds.
    assert after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime < 10
    # The child cannot have more than ``confine`` lets it; what came back must be small as well.
    assert peak() - held < 200_000
    assert any(reason in one for one in refused.value.reasons), refused.value.reasons
    assert SECRET not in str(refused.value)
    assert not list(tmp_path.rglob(MARK))
    assert store.models() == []
    assert list((settings.home / "uploads").iterdir()) == []
    assert (keras.config.floatx(), keras.config.max_epochs()) == before


def on_digits(*layers) -> Experiment:
    """A network of ours on the digits, that trains in a moment."""
    return Experiment(
        data=Digits(),
        model=Model(layers=layers),
        training=Training(loss=SparseCategoricalCrossentropy(), epochs=1, batch_size=256),
    )


OURS = {
    "an MLP": (Flatten(), Dense(units=16, activation="tanh")),
    "a CNN with batch normalization and dropout": (
        Conv2D(filters=4), BatchNormalization(), Dropout(rate=0.3), Flatten(), Dense(units=8), Dropout(rate=0.5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_run_saved_by_keras_comes_back_to_the_last_bit(name, store, settings, library, tmp_path):
    run = trained(settings, on_digits(*OURS[name]))
    restored = restore(store, Saved(run=run.id))
    path = tmp_path / "ours.keras"
    restored.model.save(path)
    card, back = library(path)
    x = np.random.default_rng(0).random((64, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(back.scores(x), restored.scores(x), strict=True)
    np.testing.assert_array_equal(back.scores(x), keras.saving.load_model(path)(x))
    assert card.experiment.model.layers == run.experiment.model.layers
    assert (card.name, card.source, card.origin, card.owner) == ("ours", "ours.keras", "upload", "ada")
    assert card.experiment.data == Digits()
    assert card.parameters == restored.model.count_params()


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_of_the_catalogue_comes_in(kind, library, tmp_path):
    """As Keras writes it with its own defaults: a later layer has to come along."""
    required = {"units": 3, "filters": 2, "kernel_size": 3, "rate": 0.1, "pool_size": 2}
    needed = {name: value for name, value in required.items() if name in kind.model_fields}
    if kind.__name__ == "Activation":
        needed = {"activation": "relu"}
    layers = [keras.Input((28, 28, 1)), getattr(keras.layers, kind.__name__)(**needed)]
    if kind.__name__ == "Dense":
        layers.insert(1, keras.layers.Flatten())
    elif kind.__name__ not in ("Flatten", "GlobalAveragePooling2D"):
        layers.append(keras.layers.Flatten())
    model = keras.Sequential([*layers, keras.layers.Dense(10), keras.layers.Softmax()])
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    card, back = library(tmp_path / "model.keras")
    np.testing.assert_array_equal(back.model(x), model(x))
    assert card.experiment.model.output.activation == "softmax"


def test_usual_tutorial_networks_come_in(library, tmp_path):
    """Pictures without a channel or as vectors of pixels, compiled and trained, functional, regularized."""
    x = np.random.default_rng(0).random((20, 784), np.float32)
    inputs = keras.Input((28, 28))
    dense = keras.layers.Dense(8, "relu", kernel_regularizer="l2", bias_regularizer="l1")
    hidden = dense(keras.layers.Flatten()(inputs))
    plain = keras.Model(inputs, keras.layers.Dense(10, "softmax")(hidden))
    plain.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    plain.fit(x.reshape(-1, 28, 28), np.arange(20) % 10, verbose=0)
    plain.save(tmp_path / "plain.keras")
    card, back = library(tmp_path / "plain.keras")
    np.testing.assert_array_equal(back.model(x.reshape(-1, 28, 28, 1)), plain(x.reshape(-1, 28, 28)))
    assert "regularizer" in card.note
    assert (card.experiment.model.layers[1].l1, card.experiment.model.layers[1].l2) == (0, 0.01)
    vector = keras.Sequential([keras.Input((784,)), keras.layers.Dense(8), keras.layers.Dense(10)])
    vector.save(tmp_path / "vector.keras")
    card, back = library(tmp_path / "vector.keras")
    np.testing.assert_array_equal(back.model(x.reshape(-1, 28, 28, 1)), vector(x))
    assert card.experiment.model.layers[0].kind == "Flatten"
    assert "pixels" in card.note


def test_fewer_classes_than_the_data_has(library, tmp_path):
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(5, "softmax")])
    model.save(tmp_path / "five.keras")
    card, _ = library(tmp_path / "five.keras")
    assert card.facts.class_names == ("0", "1", "2", "3", "4")
    assert "first 5 of MNIST" in card.note


@pytest.mark.parametrize("content", [network, functional])
def test_files_without_keras_are_as_keras_reads_them(content, library, tmp_path):
    """The files that the hostile ones are made from are good."""
    path = keras_file(tmp_path / "model.keras", content())
    _, back = library(path)
    x = np.random.default_rng(0).random((5, 4), np.float32)
    kernel, bias, other_kernel, other_bias = weights().values()
    logits = np.maximum(x @ kernel + bias, 0) @ other_kernel + other_bias
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(back.model(x), expected, rtol=1e-5)


@pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="the shared models are not on this machine")
def test_a_model_of_others_knows_mnist(library):
    path = SHARED / "models" / "mnist_moonflower.keras"
    card, restored = library(path)
    with np.load(SHARED / "mnist.npz") as mnist:
        x, y = mnist["x_test"][..., None].astype("float32") / 255, mnist["y_test"]
    scores = restored.scores(x)
    assert (scores.argmax(1) == y).mean() >= 0.985
    np.testing.assert_array_equal(scores, keras.saving.load_model(path, compile=False)(x))
    assert card.experiment.data.kind == "mnist"


@pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="the shared models are not on this machine")
@pytest.mark.parametrize("name", ["mnist_moonflower.h5", "fer2013_mini_XCEPTION.102-0.66.hdf5"])
def test_the_old_format_is_refused_with_a_remedy(name, store, settings):
    with pytest.raises(ModelRefused, match="save it again"):
        take_in(store, settings, SHARED / "models" / name, name, "")


def test_all_reasons_are_told(store, settings, tmp_path):
    content = network()
    content["config"]["layers"][1]["class_name"] = "Lambda"
    content["config"]["layers"][2]["config"]["activation"] = "evil"
    path = keras_file(
        tmp_path / "model.keras", content, hdf5(weights(), lambda f: f.__setitem__("x", h5py.SoftLink("/")))
    )
    with pytest.raises(ModelRefused) as refused:
        take_in(store, settings, path, "model.keras", "")
    first, second, third = refused.value.reasons
    assert "“first”" in first
    assert "“second”" in second
    assert "link" in third


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x\\y.keras", "a" * 1_000_000, "\0\n<b>.keras", "![](http://x).keras", ""]
)
def test_names_of_files_are_only_shown(name, store, settings, tmp_path):
    card = take_in(store, settings, keras_file(tmp_path / "model.keras"), name, "")
    assert 1 <= len(card.name) <= 80
    assert not set("/[]()<>*`:!") & set(card.name + card.source)
    assert card.name.isprintable()


def test_groups_are_named_as_keras_names_them():
    kinds = ["Conv2D", "MaxPooling2D", "Conv2D", "GlobalAveragePooling2D", "BatchNormalization", "ReLU", "Conv2D"]
    assert group_names(kinds) == [
        "conv2d", "max_pooling2d", "conv2d_1", "global_average_pooling2d", "batch_normalization", "re_lu", "conv2d_2",
    ]  # fmt: skip


CONFINED = """
import socket, subprocess, sys, os
from pathlib import Path
from playground.engine.reuse.confine import confine
room = Path(sys.argv[1])
room = room.resolve()
(room / "file").write_bytes(b"x")
confine(room, room / "file", file_bytes=1000)
def refused(action):
    try:
        action()
    except (OSError, MemoryError):
        return True
def write():
    with open(room / "large", "wb", buffering=0) as file:
        for _ in range(3): file.write(bytes(1000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
attempts = {
    "read": lambda: open("/etc/hostname"),
    "read by a detour": lambda: open(room / ".." / ".." / ".." / "etc" / "hostname"),
    "write elsewhere": lambda: open(os.path.join(sys.prefix, "x"), "w"),
    "remove": lambda: os.remove(room / "file"),
    "write": write,
    "connect": lambda: socket.create_connection(("127.0.0.1", 1)),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "run": lambda: subprocess.run(["true"]),
    "shell": lambda: os.system("true"),
    "fork": os.fork,
    "memory": lambda: bytearray(2_000_000_000),
}
print([name for name, attempt in attempts.items() if not refused(attempt)], "keras" in sys.modules)
"""


def test_the_child_is_confined(tmp_path):
    command = [sys.executable, "-c", CONFINED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[] False\n"
