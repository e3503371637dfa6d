"""The picture of a network on points against plain Keras, layer by layer."""

import json
import struct
from contextlib import closing

import keras
import numpy as np
import pytest

from playground import data
from playground.engine import worker
from playground.engine.model.build import build_model, compile_model, encode_targets
from playground.engine.probes.network import MOST_UNITS, NetworkPicture, coded, opening
from playground.engine.probes.surface import extent_of
from playground.engine.training import fit
from playground.errors import SpecError
from playground.jobs.base import CALLS
from playground.lab.play import PLAY
from playground.settings import Settings
from playground.spec import Experiment, Model, Training, changed
from playground.spec.data import Iris, Spirals, Xor
from playground.spec.layers import BatchNormalization, Dense, Dropout
from playground.store import open_store
from tests.runs import trained

pytestmark = pytest.mark.keras

SPIRALS = Spirals(samples=200, noise=0.1, features=("x", "y", "xy", "sin_x"), scaling="standard")
EXPERIMENT = Experiment(
    data=SPIRALS,
    model=Model(layers=(Dense(units=5, activation="tanh"), BatchNormalization(), Dropout(), Dense(units=3))),
    training=Training(epochs=2, execution="plain"),
    seed=4,
)


def unpacked(picture: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """Header and arrays, read as the documentation says."""
    (length,) = struct.unpack_from("<I", picture)
    header, at = json.loads(picture[4 : 4 + length]), 4 + length
    arrays = {}

    def take(name: str, shape: tuple[int, ...], kind: str) -> None:
        nonlocal at
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(picture, kind, count, at).reshape(shape)
        at += arrays[name].nbytes

    tile, side = header["tile"], header["surface"]
    take("features", (len(header["features"]), tile, tile), "u1")
    for layer in header["layers"]:
        if layer["scales"]:
            take(layer["id"], (layer["units"], tile, tile), "u1")
    take("surface", (header["channels"], side, side), "u1")
    for layer in header["layers"]:
        if layer["kernel"]:
            take(layer["id"] + "/kernel", tuple(layer["kernel"]), "<f4")
        if layer["bias"]:
            take(layer["id"] + "/bias", (layer["units"],), "<f4")
    assert at == len(picture)
    return header, arrays


def values(cells: np.ndarray, scales: list[float]) -> np.ndarray:
    """(units, side, side) in their own numbers."""
    return (cells.astype(float) - 128) / 127 * np.array(scales)[:, None, None]


def plane(extent: list[float], side: int) -> np.ndarray:
    """Centres of the cells from the lower left: (side², 2)."""
    left, right, bottom, top = extent
    xs, ys = (low + (high - low) * (np.arange(side) + 0.5) / side for low, high in ((left, right), (bottom, top)))
    return np.array([(x, y) for y in ys for x in xs])


def received(at: np.ndarray, loaded: data.Dataset) -> np.ndarray:
    x, y = at.T
    return loaded.scaler.transform(np.column_stack([x, y, x * y, np.sin(5 * x)]))


def test_every_cell_is_what_keras_answers() -> None:
    loaded = data.load(SPIRALS, EXPERIMENT.seed, ())
    header, arrays = unpacked(opening(EXPERIMENT, loaded))
    assert header["extent"] == pytest.approx(extent_of(loaded.plane), abs=1e-5)
    model = build_model(EXPERIMENT, loaded.facts)
    out = received(plane(header["extent"], 30), loaded)
    raw = loaded.scaler.inverse(out)
    scales = [feature["scale"] for feature in header["features"]]
    np.testing.assert_allclose(values(arrays["features"], scales).reshape(4, -1).T, raw, atol=0.01)
    for layer, row in zip(model.layers[1:], header["layers"], strict=True):
        out = np.asarray(layer(out, training=False))
        found = values(arrays[row["id"]], row["scales"]).reshape(row["units"], -1).T
        np.testing.assert_allclose(found, out, atol=max(row["scales"]) / 200)
        assert row["scales"] == pytest.approx(np.abs(out).max(axis=0), rel=1e-3)
    fine = model.predict(received(plane(header["extent"], 100), loaded), verbose=0)
    np.testing.assert_allclose(values(arrays["surface"], [1.0]).ravel(), 2 * fine[:, 0] - 1, atol=1 / 200)


def test_losses_and_weights_are_the_networks_own() -> None:
    loaded = data.load(SPIRALS, EXPERIMENT.seed, ())
    model = build_model(EXPERIMENT, loaded.facts)
    header, arrays = unpacked(opening(EXPERIMENT, loaded))
    for part in ("train", "test"):
        outputs = model.predict(getattr(loaded, f"x_{part}"), verbose=0)
        y = getattr(loaded, f"y_{part}")[:, None].astype("f4")
        wanted = float(keras.losses.BinaryCrossentropy()(y, outputs))
        assert header["loss"][part] == pytest.approx(wanted, rel=1e-5)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [row["kernel"] for row in header["layers"]] == [[4, 5], None, None, [5, 3], [3, 1]]
    for layer in dense:
        np.testing.assert_array_equal(arrays[layer.name + "/kernel"], layer.kernel.numpy())
        np.testing.assert_array_equal(arrays[layer.name + "/bias"], layer.bias.numpy())


def test_compiled_and_plain_pictures_agree() -> None:
    loaded = data.load(SPIRALS, 0, ())
    picture = NetworkPicture(EXPERIMENT, loaded)
    forward = picture.forward(build_model(EXPERIMENT, loaded.facts))
    (_, plain), (_, compiled) = (unpacked(picture.draw(forward, see)) for see in (forward.see, forward.compiled))
    for name, array in plain.items():
        np.testing.assert_allclose(array.astype(float), compiled[name], atol=1)  # a last bit may round to another cell


def test_the_opening_is_where_a_run_starts(settings: Settings) -> None:
    run = trained(settings, EXPERIMENT)
    _, arrays = unpacked(opening(EXPERIMENT, data.load(SPIRALS, EXPERIMENT.seed, ())))
    shown = [array for name, array in arrays.items() if "/" in name]
    with closing(open_store(settings.database, settings.artifacts)) as store:
        kept = store.read_epoch(run.id, 0)
        ended = store.live(run.id, "network")
    trainable = [array for array in kept.values() if array.dtype == np.float32]
    for array in shown:
        assert any(other.shape == array.shape and (other == array).all() for other in trainable)
    assert ended is not None
    step, picture = ended
    assert step == run.progress.step
    assert unpacked(picture)[0]["layers"][0]["id"] == "dense_1"


def test_what_is_not_a_number_is_marked() -> None:
    loaded = data.load(SPIRALS, 0, ())
    model = build_model(EXPERIMENT, loaded.facts)
    kernel = model.layers[1].kernel.numpy()
    kernel[:, 1] = np.nan
    model.layers[1].kernel.assign(kernel)
    picture = NetworkPicture(EXPERIMENT, loaded)
    forward = picture.forward(model)
    header, arrays = unpacked(picture.draw(forward, forward.see))
    assert header["loss"] == {"train": None, "test": None}
    assert (arrays["dense_1"][1] == 0).all()
    assert (arrays["dense_1"][0] > 0).all()
    assert (arrays["surface"] == 0).all()


def test_codes_keep_sign_and_size() -> None:
    cells, scales = coded(np.array([[-2.0, 0.0, 1.0, 2.0, np.nan, -np.inf], [0.0] * 6]))
    assert cells.tolist() == [[1, 128, 192, 255, 0, 0], [128] * 6]
    assert scales.tolist() == [2, 0]


def test_a_large_network_shows_its_surface_alone() -> None:
    wide = EXPERIMENT.model_copy(update={"model": Model(layers=(Dense(units=MOST_UNITS + 1),))})
    header, arrays = unpacked(opening(wide, data.load(SPIRALS, EXPERIMENT.seed, ())))
    assert list(arrays) == ["features", "surface"]
    assert [row["units"] for row in header["layers"]] == [MOST_UNITS + 1, 1]


def test_only_points_lie_in_the_plane() -> None:
    with pytest.raises(SpecError, match="does not lie in the plane"):
        opening(Experiment(data=Iris()), data.load(Iris(), 0, ()))


def test_the_question_is_asked_by_name() -> None:
    assert CALLS["opening"] == "playground.engine.worker:opening"
    header, _ = unpacked(worker.opening(Experiment(data=Xor()).dumps()))
    assert header["layers"] == [
        {"id": "output", "kind": "Dense", "units": 1, "scales": header["layers"][0]["scales"], "kernel": [2, 1],
         "bias": True}
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_network_with_which_everybody_begins_parts_the_spirals(seed: int) -> None:
    loaded = data.load(PLAY.data, seed, ())
    model = build_model(changed(PLAY, seed=seed), loaded.facts)
    compile_model(model, PLAY, loaded.facts)
    y = encode_targets(loaded.y_train, PLAY, loaded.facts)
    fit(model, loaded.x_train, y, batch_size=32, epochs=60, seed=seed, execution="plain")
    rng = np.random.default_rng(seed)
    along, arm = rng.uniform(0, 1, 1000), rng.integers(0, 2, 1000)
    angle = 2 * np.pi * PLAY.data.turns * along + np.pi * arm
    fresh = along[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    x = loaded.scaler.transform(np.column_stack([fresh, np.sin(5 * fresh)]))
    assert ((model.predict(x, verbose=0)[:, 0] > 0.5) == arm).mean() >= 0.99
