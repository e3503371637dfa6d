"""Arrays in a file that is whole or not there: on the disk before it gets its name, and known by its hash."""

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import StoreError

Arrays = Mapping[str, NDArray[Any]]


def write_npz(path: Path, arrays: Arrays) -> str:
    """Write an npz file without pickles.

    Returns:
        Its SHA-256, in hex.

    Raises:
        StoreError: the disk is full or cannot be written; what was there before is untouched.
        ValueError: an array of Python objects.
    """
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("x+b") as file:
            _write_zip(file, arrays)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be written to {path.parent}: {error.strerror}. Free some space there, or check that "
            "this user may write to it."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # the error above is the one to tell
            temporary.unlink(missing_ok=True)
    return sha256


def read_npz(path: Path, sha256: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of an npz file; None if it is missing or not the one with this hash."""
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                return None
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return dict(archive)
    except FileNotFoundError:
        return None


def _write_zip(file: IO[bytes], arrays: Arrays) -> None:
    # Not numpy.savez: it takes the names as keyword arguments, where "file" is taken.
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder, and keeps renames in its journal
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
