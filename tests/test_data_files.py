"""MNIST and Fashion-MNIST from files: where they are found, how they are read, and what is refused."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground import data
from playground.data import mnist
from playground.data.mnist import IDX, SHAPES
from playground.errors import DataMissing
from playground.spec.data import FashionMnist, Mnist, Mnist28

REAL = Path(__file__).parents[2] / "shared" / "data"


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


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validate_on": "test"},
        {"validation_fraction": 0.0},
        {"validation_fraction": 0.35, "stratify": False},
        {"limit": 777, "validation_fraction": 0.1},
    ],
    ids=str,
)
def test_what_is_loaded_is_what_was_described(options: dict[str, Any], npz_folder: Path) -> None:
    loaded, facts = data.load(Mnist(**options), 3, [npz_folder]), data.describe(Mnist(**options))
    assert loaded.facts == facts
    for part in ("train", "validation", "test"):
        x, y = getattr(loaded, f"x_{part}"), getattr(loaded, f"y_{part}")
        assert x.shape == (getattr(facts, part), 28, 28, 1)
        assert y.shape == (getattr(facts, part),)
        assert (x.dtype, y.dtype) == (np.float32, np.int32)
        assert x.flags.c_contiguous


def test_an_npz_is_read_in_its_original_order(npz_folder: Path) -> None:
    loaded = data.load(Mnist(validation_fraction=0.0), 0, [Path("/nowhere"), npz_folder])
    np.testing.assert_array_equal(np.round(loaded.x_train[:1000, 5, 5, 0] * 255), np.arange(1000) % 251)
    np.testing.assert_array_equal(loaded.y_train[:1000], np.arange(1000) % 10)
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
    loaded = data.load(kind(validate_on="test"), 0, [tmp_path])
    np.testing.assert_array_equal(loaded.y_test, pictures["y_test"])
    np.testing.assert_array_equal(np.round(loaded.x_train[:300, 0, 0, 0] * 255), pictures["x_train"][:300, 0, 0])


def test_the_name_of_the_folder_tells_which_of_the_two_sets_lies_in_it(
    pictures: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write_idx(tmp_path / "fashion-mnist", pictures, "")
    assert data.load(FashionMnist(examples=100, validate_on="test"), 0, [tmp_path / "fashion-mnist"]).facts.train == 100
    with pytest.raises(DataMissing, match="MNIST is not on this machine"):
        data.load(Mnist(), 0, [tmp_path / "fashion-mnist"])


def test_keras_cache_is_looked_at_last(npz_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "datasets").symlink_to(npz_folder)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    assert data.load(Mnist(examples=100, validate_on="test"), 0, []).facts.train == 100


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
