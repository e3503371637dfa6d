"""Arrays of any layer as a bounded sheet of small pictures, with the numbers that describe the whole array.

A sheet is float32 (rows, columns, height, width). Feature maps and units stand side by side in one row; kernels have a
row for each input channel and a column for each filter; a Dense layer over a flattened picture has a picture a unit,
any other one a strip a unit, as long as the layer has inputs.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNITS = 32
"""Feature maps or filters shown of a layer."""
CHANNELS, UNITS_BESIDE_CHANNELS = 8, 12
"""Input channels shown of each filter, and units where each has a picture a channel: more would be too small."""
SMALL = 5
"""Pictures up to this many pixels wide are small enough for all units."""
SIDE = 64
"""Largest height and width of a picture in pixels; a larger one is shown by every second, third, … of its pixels."""
STRIP = 256
"""Largest length of a strip, in the same way."""
VALUES = 1024
"""Values shown of a vector."""

Array = NDArray[np.floating]


def describe(values: Array) -> dict[str, float]:
    """``min``, ``mean``, ``std``, ``max`` and ``zeros`` (share of exact zeros, 0–1) of a whole array."""
    with np.errstate(invalid="ignore", over="ignore"):  # an infinite activation has no spread
        return {
            "min": float(values.min()),
            "mean": float(values.mean(dtype=np.float64)),
            "std": float(values.std(dtype=np.float64)),
            "max": float(values.max()),
            "zeros": float(np.mean(values == 0)),
        }


def picture(values: Array, sheet: Array) -> dict[str, Any]:
    """What travels of an array: a sheet of it, its numbers, and how much of it the sheet shows.

    Args:
        values: the whole array.
        sheet: all of it, (rows, columns, height, width).

    Returns:
        ``tiles`` float32 (rows, columns, height, width), cut to size; ``shape`` of the whole; ``columns`` and ``rows``,
        how many there are in all; ``step``, every how many pixels one is shown; and :func:`describe`.
    """
    rows, columns, height, width = sheet.shape
    units = UNITS if rows == 1 or width <= SMALL else UNITS_BESIDE_CHANNELS
    is_vector = height == width == 1 and rows == 1
    step = max(1, math.ceil(width / STRIP)) if height == 1 else math.ceil(max(height, width) / SIDE)
    cut = sheet[:CHANNELS, : VALUES if is_vector else units, ::step, ::step]
    return {
        "tiles": np.ascontiguousarray(cut, np.float32),
        "shape": tuple(values.shape),
        "rows": rows,
        "columns": columns,
        "step": step,
        **describe(values),
    }


def output_sheet(values: Array) -> Array:
    """What a layer gives for one example: a tile a channel of (height, width, channels), a cell a unit of (units,)."""
    if values.ndim == 3:
        return np.moveaxis(values, -1, 0)[None]
    return _flat_sheet(values)


def weight_sheet(values: Array, flattened: tuple[int, ...] | None) -> Array:
    """A variable of a layer.

    Args:
        values: the variable, or its gradient.
        flattened: (height, width, channels) of the picture that was flattened into the layer's input; None: none was.
    """
    if values.ndim == 4:  # (height, width, input channels, filters)
        return values.transpose(2, 3, 0, 1)
    if values.ndim == 2 and flattened is not None and math.prod(flattened) == len(values):
        return values.reshape(*flattened, -1).transpose(2, 3, 0, 1)
    return _flat_sheet(values)


def _flat_sheet(values: Array) -> Array:
    if values.ndim < 2:
        return values.reshape(1, -1, 1, 1)
    return values.reshape(-1, values.shape[-1]).T[None, :, None, :]
