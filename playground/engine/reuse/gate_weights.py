"""The third gate: the HDF5 file with the weights, walked link by link, nothing read whose size is not known."""

import re
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from playground.engine.reuse.gate import BROKEN, MAX_PARAMETERS, shown
from playground.errors import ModelRefused

MAX_OBJECTS = 5_000
MAX_DEPTH = 12


class Weights:
    """The weights in a ``model.weights.h5``.

    Args:
        path: the file.

    Raises:
        ModelRefused: it leads elsewhere, lies about its sizes, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = h5py.File(path, "r")
            self._reasons: list[str] = []
            self._left = MAX_OBJECTS
            self._datasets = dict(self._walk(self._file, "", {h5py.h5o.get_info(self._file.id).addr}))
        except (OSError, RuntimeError, KeyError, ValueError, TypeError):
            raise ModelRefused([f"The weights cannot be read. {BROKEN}"]) from None
        if self._reasons:
            raise ModelRefused(self._reasons)

    def read(self, groups: Sequence[str]) -> list[list[NDArray[np.float32]]]:
        """The arrays of some layers, in Keras's order; none for a layer without weights.

        Args:
            groups: names of the layers' groups, such as ``conv2d_1``.

        Raises:
            ModelRefused: too many numbers, of another kind than float32, or not finite.
        """
        found = [self._of(group) for group in groups]
        parameters = sum(prod(dataset.shape) for layer in found for dataset in layer)
        if parameters > MAX_PARAMETERS:
            raise ModelRefused([f"The network has {parameters:,} weights; the limit is {MAX_PARAMETERS:,}."])
        reasons = [f"The weights of {group} are {dataset.dtype} numbers; only float32 is taken."
                   for group, layer in zip(groups, found, strict=True)
                   for dataset in layer if dataset.dtype != np.float32][:1]  # fmt: skip
        if reasons:
            raise ModelRefused(reasons)
        try:
            arrays = [[np.asarray(dataset[()]) for dataset in layer] for layer in found]
        except (OSError, RuntimeError):
            raise ModelRefused([f"The weights cannot be read. {BROKEN}"]) from None
        bad = [group for group, layer in zip(groups, arrays, strict=True)
               if not all(np.isfinite(array).all() for array in layer)]  # fmt: skip
        if bad:
            raise ModelRefused([f"The weights of {group} are not all finite numbers." for group in bad])
        return arrays

    def _of(self, group: str) -> list[Any]:
        prefix = f"/layers/{group}/vars/"
        mine = {name.removeprefix(prefix): data for name, data in self._datasets.items() if name.startswith(prefix)}
        if set(mine) != {str(number) for number in range(len(mine))}:
            raise ModelRefused([f"The weights of {group} are not numbered as Keras numbers them."])
        return [mine[str(number)] for number in range(len(mine))]

    def _walk(self, group: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
        """Every dataset with its path. Only hard links are followed, and every object once."""
        if path.count("/") > MAX_DEPTH:
            self._refuse("The groups of the weights file are nested too deeply.")
            return
        for key in group:
            self._left -= 1
            if self._left < 0:
                self._refuse(f"The weights file has more than {MAX_OBJECTS:,} parts.")
                return
            name = f"{path}/{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                self._refuse(f"{shown(name)} in the weights file is a link to another place or file.")
                continue
            item = group[key]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                self._refuse(f"{shown(name)} in the weights file is there twice.")
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                yield from self._walk(item, name, seen)
            elif reason := _against(item):
                self._refuse(f"{shown(name)} in the weights file {reason}.")
            else:
                yield name, item

    def _refuse(self, reason: str) -> None:
        self._reasons.append(reason)


def _against(item: Any) -> str:
    """What speaks against a dataset; empty if nothing does."""
    if not isinstance(item, h5py.Dataset):
        return "is neither numbers nor a group"
    if item.is_virtual or item.external:
        return "keeps its numbers in another file"
    if item.dtype.kind not in "fiub" or item.shape is None:
        return "does not hold numbers"
    claimed, stored = prod(item.shape) * item.dtype.itemsize, item.id.get_storage_size()
    # Keras writes plain contiguous arrays: what it claims lies in the file, byte for byte.
    if item.chunks is not None or claimed != stored:
        return f"claims {claimed:,} bytes and holds {stored:,}, or is packed"
    return ""


def group_names(kinds: Sequence[str]) -> list[str]:
    """The groups under which Keras saves layers of these classes, in their order: ``conv2d``, ``conv2d_1`` …

    As in ``keras.src.saving.saving_lib._save_container_state``: by class and number, not by the layer's own name.
    """
    names = [_snake_case(kind) for kind in kinds]
    counts = [names[:index].count(name) for index, name in enumerate(names)]
    return [f"{name}_{count}" if count else name for name, count in zip(names, counts, strict=True)]


def _snake_case(name: str) -> str:
    """As ``keras.src.utils.naming.to_snake_case``: ``MaxPooling2D`` → ``max_pooling2d``."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
