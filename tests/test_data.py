"""Data sets: found, split, scaled; and described without any of that."""

import gzip
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import datasets as sklearn_datasets

from playground import data, evaluation
from playground.data import mnist
from playground.data.facts import KNOWN
from playground.data.loading import LOADERS
from playground.data.mnist import IDX, SHAPES
from playground.data.scaling import WHITE, Scaler, fit
from playground.data.split import split
from playground.errors import DataMissing, SpecError
from playground.spec import DATASETS, changed
from playground.spec.data import (
    BreastCancer,
    Circles,
    Data,
    Diabetes,
    Digits,
    FashionMnist,
    Gaussians,
    Iris,
    Mnist,
    Mnist28,
    Moons,
    Points,
    Spirals,
    Wine,
    Xor,
)

REAL = Path(__file__).parents[2] / "shared" / "data"
HERE = [kind for kind in DATASETS if not issubclass(kind, Mnist28)]
"""The data sets that need no files."""
OPTIONS: list[dict[str, Any]] = [
    {},
    {"validate_on": "test"},
    {"validation_fraction": 0.0},
    {"validation_fraction": 0.07, "scaling": "minmax"},
    {"validation_fraction": 0.35, "scaling": "standard", "stratify": False},
    {"validation_fraction": 0.8, "scaling": "none"},
]


@pytest.fixture(autouse=True)
def _no_cache_of_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture(scope="session")
def pictures() -> dict[str, np.ndarray]:
    """Made-up arrays of MNIST's form: image i is filled with i mod 251, its class is i mod 10."""
    arrays = {}
    for name, shape in SHAPES.items():
        values = np.arange(shape[0]) % (251 if name.startswith("x") else 10)
        arrays[name] = np.broadcast_to(values.astype(np.uint8).reshape(-1, *[1] * (len(shape) - 1)), shape)
    return arrays


@pytest.fixture(scope="session")
def npz_folder(pictures: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npz")
    np.savez_compressed(folder / "mnist.npz", **pictures)
    return folder


def write_idx(folder: Path, arrays: dict[str, np.ndarray], ending: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
        # Level 1: what is tested is reading.
        (folder / f"{IDX[name]}{ending}").write_bytes(gzip.compress(content, 1) if ending else content)


# What every data set keeps to


def assert_keeps_its_promises(spec: Data, folders: list[Path]) -> None:
    loaded, facts = data.load(spec, 3, folders), data.describe(spec)
    assert loaded.facts == facts
    assert facts.task == spec.task
    assert facts.family == spec.family
    for part, count in (("train", facts.train), ("validation", facts.validation), ("test", facts.test)):
        x, y = getattr(loaded, f"x_{part}"), getattr(loaded, f"y_{part}")
        assert x.shape == (count, *facts.input_shape)
        assert y.shape == (count,)
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        assert y.dtype == (np.float32 if spec.task == "regression" else np.int32)
        assert np.isfinite(x).all()
        if spec.task != "regression" and spec.stratify and count:
            assert set(y) == set(range(len(facts.class_names)))
    if spec.validate_on == "test":
        assert loaded.x_validation is loaded.x_test
        assert loaded.y_validation is loaded.y_test


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.__name__)
def test_what_is_loaded_is_what_was_described(kind: type[Data], options: dict[str, Any]) -> None:
    if options.get("validation_fraction") == 0.8:
        options = {**options, "test_fraction": 0.3}
    assert_keeps_its_promises(kind(**options), [])


@pytest.mark.parametrize("options", [*OPTIONS, {"limit": 500}, {"limit": 777, "validation_fraction": 0.1}], ids=str)
def test_pictures_from_files_are_what_was_described(options: dict[str, Any], npz_folder: Path) -> None:
    assert_keeps_its_promises(Mnist(**options), [npz_folder])


def test_every_data_set_has_facts_a_loader_and_where_needed_a_white() -> None:
    assert set(KNOWN) == set(LOADERS) == set(DATASETS)
    assert set(WHITE) == {Digits, Mnist, FashionMnist}


@pytest.mark.parametrize("kind", [Moons, Iris, Diabetes], ids=lambda kind: kind.__name__)
def test_the_seed_alone_decides(kind: type[Data]) -> None:
    first, again, other = (data.load(kind(), seed, []) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x_train, again.x_train)
    np.testing.assert_array_equal(first.y_test, again.y_test)
    assert not np.array_equal(first.x_train, other.x_train)


def test_a_share_is_one_of_what_the_test_examples_leave() -> None:
    facts = data.describe(Moons(samples=1000, test_fraction=0.5, validation_fraction=0.5))
    assert (facts.train, facts.validation, facts.test) == (250, 250, 500)


def test_no_example_is_in_two_splits() -> None:
    parts = split(Wine(), sklearn_datasets.load_wine().target, 0)
    assert sorted(np.concatenate(parts)) == list(range(178))


def test_describing_needs_neither_scikit_learn_nor_files() -> None:
    code = (
        "import sys; from playground import data, evaluation; from playground.spec import DATASETS; "
        "[data.describe(kind()) for kind in DATASETS]; "
        "sys.exit(any(name.split('.')[0] in ('sklearn', 'scipy', 'pandas', 'keras') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize("module", [data, evaluation], ids=lambda module: module.__name__)
def test_every_public_name_is_there_and_no_other(module: Any) -> None:
    assert all(getattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'anything'"):
        _ = module.anything


# Facts held against scikit-learn


@pytest.mark.parametrize(
    ("kind", "source"),
    [(Iris, "iris"), (Wine, "wine"), (BreastCancer, "breast_cancer"), (Diabetes, "diabetes"), (Digits, "digits")],
)
def test_constants_agree_with_scikit_learn(kind: type[Data], source: str) -> None:
    bunch, known = getattr(sklearn_datasets, f"load_{source}")(), KNOWN[kind]
    assert known.examples == len(bunch.data)
    assert np.prod(known.input_shape) == bunch.data.shape[1]
    if kind is not Digits:
        assert list(known.feature_names) == list(bunch.feature_names)
    if kind is not Diabetes:
        assert len(known.class_names) == len(bunch.target_names)
    if kind in (Iris, BreastCancer, Digits):
        assert list(known.class_names) == [str(name) for name in bunch.target_names]
    if kind in WHITE:
        assert bunch.data.max() == WHITE[kind]


def test_diabetes_comes_in_its_own_units() -> None:
    shown = data.preview(Diabetes(), 0, [])
    assert 18 < shown.x[:, 0].min() < shown.x[:, 0].max() < 80  # age in years
    assert 20 < shown.y.min() < shown.y.max() < 350


# Points


@pytest.mark.parametrize("kind", [Moons, Circles, Xor, Spirals, Gaussians], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("samples", [20, 501, 20_000])
def test_both_classes_are_equally_frequent(kind: type[Points], samples: int) -> None:
    raw = LOADERS[kind](kind(samples=samples), 0, [])
    assert raw.x.shape == (samples, 2)
    assert abs(np.diff(np.bincount(raw.y))[0]) <= 1


def test_points_without_noise_lie_where_their_formulas_say() -> None:
    raw = {kind: LOADERS[kind](kind(samples=400, noise=0.0), 0, []) for kind in (Moons, Circles, Xor, Spirals)}
    x, y = raw[Circles].x, raw[Circles].y
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), np.where(y == 0, 1, 0.5))
    x, y = raw[Xor].x, raw[Xor].y
    np.testing.assert_array_equal(x.prod(axis=1) > 0, y == 1)
    assert 0.06 <= np.abs(x).min() <= np.abs(x).max() <= 1
    x, y = raw[Spirals].x, raw[Spirals].y
    radius = np.linalg.norm(x, axis=1)
    angle = 2 * np.pi * 1.75 * radius + np.pi * y
    np.testing.assert_allclose(x, radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), atol=1e-12)
    x, y = raw[Moons].x, raw[Moons].y
    centre = np.where(y[:, None] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.linalg.norm(x - centre, axis=1), 1)


def test_clouds_have_the_spread_that_was_asked_for() -> None:
    raw = LOADERS[Gaussians](Gaussians(samples=20_000, noise=0.5), 0, [])
    for name, centre in ((0, -1), (1, 1)):
        np.testing.assert_allclose(raw.x[raw.y == name].mean(axis=0), centre, atol=0.03)
        np.testing.assert_allclose(raw.x[raw.y == name].std(axis=0), 0.5, atol=0.03)


# Splits that are too small


@pytest.mark.parametrize(
    ("spec", "where", "said"),
    [
        (Iris(test_fraction=0.01), "data.test_fraction", "test share of 2 is too small to hold each of the 3 classes"),
        (Moons(samples=20, validation_fraction=0.01), "data.validation_fraction", "validation share of 1 is too small"),
        (Mnist(limit=100, validation_fraction=0.05), "data.validation_fraction", "share of 5 is too small"),
    ],
)
def test_a_share_too_small_for_its_classes_is_refused_before_loading(spec: Data, where: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        data.describe(spec)
    assert caught.value.where == where
    assert data.describe(changed(spec, stratify=False)).train > 0


def test_a_regression_has_no_classes_to_hold() -> None:
    assert data.describe(Diabetes(test_fraction=0.001)).test == 1


def test_every_accepted_pair_of_shares_leaves_training_examples_for_each_class() -> None:
    shares = np.arange(0.05, 0.81, 0.05).tolist()
    for samples, test, validation in itertools.product((20, 23, 25, 31), shares, shares):
        try:
            spec = Moons(samples=samples, test_fraction=test, validation_fraction=validation)
            facts = data.describe(spec)
        except (ValidationError, SpecError):
            continue
        assert facts.train >= 2
        assert facts.train + facts.validation + facts.test == samples


def test_a_class_with_a_single_example_cannot_be_stratified() -> None:
    y = np.array([0] * 19 + [1])
    with pytest.raises(SpecError, match="'lower moon' has a single example"):
        split(Moons(samples=20), y, 0)
    assert len(split(Moons(samples=20, stratify=False), y, 0).train) == 13


# Scaling


def test_statistics_come_from_the_training_split_alone() -> None:
    loaded = data.load(Wine(), 0, [])
    np.testing.assert_allclose(loaded.x_train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(loaded.x_train.std(axis=0), 1, atol=1e-5)
    assert np.abs(loaded.x_test.mean(axis=0)).max() > 0.02
    bounded = data.load(Wine(scaling="minmax"), 0, [])
    np.testing.assert_allclose(
        [bounded.x_train.min(axis=0), bounded.x_train.max(axis=0)], [[0] * 13, [1] * 13], atol=1e-6
    )
    assert max(bounded.x_test.max(), bounded.x_validation.max()) > 1


def test_scaling_can_be_undone_with_two_plain_arrays() -> None:
    spec = BreastCancer(scaling="standard")
    loaded, raw = data.load(spec, 0, []), sklearn_datasets.load_breast_cancer()
    back = loaded.x_test / loaded.scaler.factor + loaded.scaler.offset
    np.testing.assert_allclose(back, raw.data[split(spec, raw.target, 0).test], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scaling", ["minmax", "standard"])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
def test_a_constant_column_stays_constant(scaling: Any, constant: float) -> None:
    x = np.column_stack([np.arange(7.0), np.full(7, constant)])
    scaled = fit(Iris(scaling=scaling), x).transform(x)
    assert np.isfinite(scaled).all()
    np.testing.assert_allclose(scaled[:, 1], 0, atol=1e-5)


def test_numbers_keep_their_digits_until_the_offset_is_gone() -> None:
    x = 1e9 + np.arange(5.0)[:, None]
    np.testing.assert_allclose(fit(Iris(scaling="minmax"), x).transform(x)[:, 0], np.arange(5) / 4)


def test_pictures_are_scaled_by_white_or_by_one_mean() -> None:
    full = data.load(Digits(), 0, [])
    assert full.scaler.factor == 1 / 16
    assert (full.x_train.min(), full.x_train.max()) == (0, 1)
    assert data.load(Digits(scaling="none"), 0, []).x_train.max() == 16
    standard = data.load(Digits(scaling="standard"), 0, [])
    assert standard.scaler.offset.shape == ()
    assert standard.x_train.mean() == pytest.approx(0, abs=1e-5)
    assert standard.x_train.std() == pytest.approx(1, abs=1e-5)
    white = Scaler(np.zeros(()), np.array(1 / 255)).transform(np.array([[0, 255]], np.uint8))
    assert white.tolist() == [[0, 1]]


# Previews


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.__name__)
def test_a_preview_shows_some_of_every_class(kind: type[Data]) -> None:
    shown = data.preview(kind(), 0, [])
    assert len(shown.x) == len(shown.y) == len(shown.part) <= {"points": 2000, "table": 200, "images": 100}[kind.family]
    assert set(shown.y) == set(range(len(shown.facts.class_names))) or kind.task == "regression"
    assert set(shown.part) == {0, 1, 2}
    few = data.preview(kind(), 0, [], limit=3)
    assert len(few.x) == (30 if kind is Digits else 3)


def test_points_are_shown_as_the_network_sees_them() -> None:
    spec = Spirals(samples=20_000, scaling="standard")
    shown, loaded = data.preview(spec, 5, []), data.load(spec, 5, [])
    assert shown.x.shape == (2000, 2)
    seen = {tuple(point) for point in loaded.x_train}
    assert all((tuple(point) in seen) == (part == 0) for point, part in zip(shown.x, shown.part, strict=True))
    assert abs(np.mean(shown.part == 2) - 0.2) < 0.05


def test_pictures_are_shown_from_black_to_white_whatever_their_scaling() -> None:
    shown = data.preview(Digits(scaling="standard"), 0, [])
    assert shown.x.dtype == np.uint8
    assert (shown.x.min(), shown.x.max()) == (0, 255)


# MNIST's files


def test_an_npz_is_read_in_its_original_order(npz_folder: Path) -> None:
    loaded = data.load(Mnist(validation_fraction=0.0, limit=1000), 0, [Path("/nowhere"), npz_folder])
    np.testing.assert_array_equal(np.round(loaded.x_train[:, 5, 5, 0] * 255), np.arange(1000) % 251)
    np.testing.assert_array_equal(loaded.y_train, np.arange(1000) % 10)
    assert loaded.x_test.shape == (10_000, 28, 28, 1)


@pytest.mark.parametrize(
    ("kind", "folder", "ending"),
    [
        (Mnist, "mnist", ""),
        (Mnist, "", ".gz"),
        (Mnist, "MNIST/raw", ".gz"),
        (FashionMnist, "fashion-mnist", ".gz"),
    ],
)
def test_idx_files_are_read(
    kind: type[Mnist28], folder: str, ending: str, pictures: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write_idx(tmp_path / folder, pictures, ending)
    loaded = data.load(kind(limit=300, validate_on="test"), 0, [tmp_path])
    np.testing.assert_array_equal(loaded.y_test, pictures["y_test"])
    np.testing.assert_array_equal(np.round(loaded.x_train[:, 0, 0, 0] * 255), pictures["x_train"][:300, 0, 0])


def test_the_name_of_the_folder_tells_which_of_the_two_sets_lies_in_it(
    pictures: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write_idx(tmp_path / "fashion-mnist", pictures, "")
    assert data.load(FashionMnist(limit=100, validate_on="test"), 0, [tmp_path / "fashion-mnist"]).facts.train == 100
    with pytest.raises(DataMissing, match="MNIST is not on this machine"):
        data.load(Mnist(), 0, [tmp_path / "fashion-mnist"])


def test_keras_cache_is_looked_at_last(npz_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "datasets").symlink_to(npz_folder)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    assert data.load(Mnist(limit=100, validate_on="test"), 0, []).facts.train == 100


def test_a_file_is_found_without_being_read(npz_folder: Path, tmp_path: Path) -> None:
    assert mnist.find(Mnist, [tmp_path, npz_folder]) == npz_folder / "mnist.npz"
    assert mnist.find(FashionMnist, [npz_folder]) is None


def test_a_missing_file_is_named_with_the_places_where_it_may_lie(tmp_path: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        data.load(FashionMnist(), 0, [tmp_path])
    for part in ("Fashion-MNIST", "fashion_mnist.npz", "train-images-idx3-ubyte.gz", str(tmp_path), "keras/datasets"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"x_train": np.zeros((60_000, 28, 28), np.float32)[:9]},
            r"x_train is float32 \(9, 28, 28\) and should be uint8",
        ),
        ({"y_test": np.full(10_000, 10, np.uint8)}, "y_test holds the class 10, the last one is 9"),
        ({"y_train": np.zeros(60_000, object)}, "y_train is object"),
        ({"x_test": None}, "no item named 'x_test.npy' in the archive"),
    ],
)
def test_an_npz_of_something_else_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    arrays = {name: np.zeros(shape, np.uint8) for name, shape in SHAPES.items()} | changes
    np.savez_compressed(tmp_path / "mnist.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataMissing, match=said):
        data.load(Mnist(), 0, [tmp_path])


def test_a_header_that_promises_gigabytes_is_refused_before_they_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "mnist.npz", x_train=np.zeros((200_000, 28, 28), np.uint8))
    with pytest.raises(DataMissing, match=r"x_train is uint8 \(200000, 28, 28\)"):
        data.load(Mnist(), 0, [tmp_path])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x04]q\x00.", b"<html></html>"])
def test_a_file_that_only_has_the_name_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(content)
    with pytest.raises(DataMissing, match=r"mnist\.npz cannot be read as MNIST: .* Replace or remove the file\."):
        data.load(Mnist(), 0, [tmp_path])


@pytest.mark.parametrize("damage", ["cut", "header", "gzip"])
def test_damaged_idx_files_are_refused(damage: str, pictures: dict[str, np.ndarray], tmp_path: Path) -> None:
    write_idx(tmp_path, pictures, ".gz" if damage == "gzip" else "")
    path = tmp_path / (IDX["x_train"] + (".gz" if damage == "gzip" else ""))
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[7] = 1
    path.write_bytes(content[: len(content) // 2] if damage != "header" else content)
    with pytest.raises(DataMissing, match=f"{path.name} cannot be read as MNIST"):
        data.load(Mnist(), 0, [tmp_path])


@pytest.mark.skipif(not REAL.exists(), reason="the real data sets are not beside the repository")
@pytest.mark.parametrize(("kind", "first"), [(Mnist, [5, 0, 4, 1, 9]), (FashionMnist, [9, 0, 0, 3, 0])])
def test_the_real_files_are_read(kind: type[Mnist28], first: list[int]) -> None:
    loaded = data.load(kind(validate_on="test"), 0, [REAL])
    assert loaded.y_train[:5].tolist() == first
    assert loaded.facts.train == len(loaded.x_train) == 60_000
    assert np.bincount(loaded.y_test).sum() == 10_000
    assert (loaded.x_train.min(), loaded.x_train.max()) == (0, 1)
    assert data.preview(kind(), 0, [REAL]).x.shape == (100, 28, 28, 1)
