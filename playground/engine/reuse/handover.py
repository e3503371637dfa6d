"""What the child hands back: a description as JSON, numbers as bytes; nothing that is unpacked or executed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from playground.errors import ModelRefused
from playground.spec import Model

DESCRIPTION, NUMBERS = "description.json", "numbers.f32"
READY = "ready"
"""The empty file that says that the child begins to read."""
MAX_DESCRIPTION = 4_000_000

FLOAT32 = np.dtype("<f4")


@dataclass(frozen=True)
class Network:
    """A network that the gates let through, in the words of our own spec."""

    model: Model = field(default_factory=Model)
    input_shape: tuple[int, ...] = ()
    """Of one example."""
    shapes: tuple[tuple[tuple[int, ...], ...], ...] = ()
    """Of the weights: for each layer, the output layer last, the shapes of its arrays in Keras's order."""
    notes: tuple[str, ...] = ()
    """What is not quite as it was in the file; one sentence each."""
    reasons: tuple[str, ...] = ()
    """Why it is refused; then the rest counts for nothing."""


_network = TypeAdapter(Network)


def write(folder: Path, network: Network, arrays: Sequence[Sequence[NDArray[Any]]] = ()) -> None:
    """Put a network with its weights, or the reasons against it, into a folder."""
    with (folder / NUMBERS).open("wb") as file:
        for array in (array for layer in arrays for array in layer):
            file.write(array.astype(FLOAT32, copy=False).tobytes())
    (folder / DESCRIPTION).write_bytes(_network.dump_json(network))


def read(folder: Path) -> tuple[Network, list[list[NDArray[np.float32]]]]:
    """The network that a child put into a folder, with its weights: float32, a list a layer.

    Raises:
        ModelRefused: the child refused it, or what it left does not hold together.
    """
    try:
        with (folder / DESCRIPTION).open("rb") as file:
            network = _network.validate_json(file.read(MAX_DESCRIPTION))
        numbers = np.fromfile(folder / NUMBERS, FLOAT32)
    except (OSError, ValidationError):
        raise ModelRefused(["The file could not be read. Save the model again with Keras, as a .keras file."]) from None
    if network.reasons:
        raise ModelRefused(network.reasons)
    sizes = [[prod(shape) for shape in layer] for layer in network.shapes]
    if sum(map(sum, sizes)) != numbers.size or not np.isfinite(numbers).all():
        raise ModelRefused(["The weights in the file do not fit its description. Save the model again with Keras."])
    arrays: list[list[NDArray[np.float32]]] = []
    start = 0
    for layer in network.shapes:
        arrays.append([])
        for shape in layer:
            arrays[-1].append(numbers[start : start + prod(shape)].reshape(shape))
            start += prod(shape)
    return network, arrays
