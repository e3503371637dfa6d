"""MNIST and Fashion-MNIST from files: one npz, or the four idx files in which both were published."""

import gzip
import itertools
import math
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from playground.data.dataset import Raw
from playground.data.facts import MNIST_TEST, MNIST_TRAIN
from playground.errors import DataMissing
from playground.spec.data import Data, FashionMnist, Mnist, Mnist28

SHAPES = {
    "x_train": (MNIST_TRAIN, 28, 28),
    "y_train": (MNIST_TRAIN,),
    "x_test": (MNIST_TEST, 28, 28),
    "y_test": (MNIST_TEST,),
}
"""The arrays, uint8, under the names that Keras's npz gives them."""

IDX = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The same as published; each may end in ``.gz``."""


class Source(NamedTuple):
    """Where a data set may lie in a data folder: as an npz, or as idx files in a folder of its own."""

    npz: tuple[str, ...]
    folders: tuple[str, ...]


SOURCES: dict[type[Data], Source] = {
    Mnist: Source(("mnist.npz", "mnist/mnist.npz"), ("mnist", "MNIST", "MNIST/raw")),
    FashionMnist: Source(
        ("fashion_mnist.npz", "fashion-mnist.npz"),
        ("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw"),
    ),
}

_UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""What gzip, zipfile and NumPy raise at files that are not what their names say."""


def load(spec: Mnist28, seed: int, folders: Sequence[Path]) -> Raw:
    """All 60,000 training and 10,000 test pictures, uint8 (n, 28, 28, 1), in their original order.

    Raises:
        DataMissing: no file in the folders or in Keras's cache, or one that is damaged.
    """
    places, source = [*folders, keras_cache()], SOURCES[type(spec)]
    files = next(_candidates(type(spec), places), None)
    if files is None:
        raise DataMissing(
            f"{spec.label} is not on this machine. Put {source.npz[0]}, or the four files {IDX['x_train']}.gz and so "
            f"on in a folder {source.folders[0]}, into one of: {', '.join(map(str, places))}."
        )
    arrays = _read(files, spec.label)
    return Raw(
        arrays["x_train"][..., np.newaxis],
        arrays["y_train"],
        (arrays["x_test"][..., np.newaxis], arrays["y_test"]),
    )


def find(kind: type[Data], folders: Sequence[Path]) -> Path | None:
    """Where the data set lies (of four files, the training pictures); None where :func:`load` would find nothing."""
    files = next(_candidates(kind, [*folders, keras_cache()]), None)
    return files["x_train"] if files else None


def keras_cache() -> Path:
    """Where Keras keeps the data sets it has downloaded."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets"


def _candidates(kind: type[Data], places: Sequence[Path]) -> Iterator[dict[str, Path]]:
    """The sets of files in ``places`` that promise this data: array name → file."""
    source = SOURCES[kind]
    for place in places:
        for name in source.npz:
            if os.path.isfile(place / name):
                yield dict.fromkeys(SHAPES, place / name)
        folders = [place / name for name in source.folders]
        # Both data sets use the same four names, so only the folder's own name tells which one lies in it.
        if (kind is FashionMnist) == ("fashion" in place.name.lower()):
            folders.append(place)
        for folder, ending in itertools.product(folders, ("", ".gz")):
            files = {array: folder / f"{name}{ending}" for array, name in IDX.items()}
            if all(map(os.path.isfile, files.values())):
                yield files


def _read(files: dict[str, Path], title: str) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, path in files.items():
        try:
            arrays[name] = _read_npz(path, name) if path.suffix == ".npz" else _read_idx(path, SHAPES[name])
            if name.startswith("y") and arrays[name].max() > 9:
                raise ValueError(f"{name} holds the class {arrays[name].max()}, the last one is 9")
        except _UNREADABLE as error:
            reason = str(error).strip("'.\"")
            raise DataMissing(f"{path} cannot be read as {title}: {reason}. Replace or remove the file.") from error
    return arrays


def _read_npz(path: Path, name: str) -> NDArray[Any]:
    """One array of an npz, read only if its header promises what we expect: a small file can unpack to gigabytes."""
    with zipfile.ZipFile(path) as archive:
        with archive.open(f"{name}.npy") as file:
            shape, dtype = _npy_header(file)
        if shape != SHAPES[name] or dtype != np.uint8:
            raise ValueError(f"{name} is {dtype} {shape} and should be uint8 {SHAPES[name]}")
        with archive.open(f"{name}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"npy version {version} is not known")
    shape, _, dtype = readers[version](file)
    return shape, dtype


def _read_idx(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """An idx file: two zeros, type (8: uint8), number of axes, each axis as big-endian uint32, then the values."""
    expected = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        if file.read(len(expected)) != expected:
            raise ValueError(f"it does not begin like an idx file of uint8 {shape}")
        content = file.read(math.prod(shape))
    if len(content) != math.prod(shape):
        raise ValueError(f"it ends after {len(content):,} of {math.prod(shape):,} values")
    return np.frombuffer(content, np.uint8).reshape(shape)
