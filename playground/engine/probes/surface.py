"""The decision surface of a network on points: its scores on a grid of the plane."""

import struct

import numpy as np
from numpy.typing import NDArray

from playground.data import Scaler
from playground.data.features import features_of
from playground.spec.data import Points

RESOLUTION = 60
MARGIN = 0.1
"""Share of the data's width added on every side."""


def extent_of(x: np.ndarray) -> tuple[float, float, float, float]:
    """The square of the plane that shows the data: (x min, x max, y min, y max), from points (n, 2)."""
    low, high = x.min(axis=0), x.max(axis=0)
    room = np.maximum(high - low, 1e-6) * MARGIN
    (left, bottom), (right, top) = low - room, high + room
    return float(left), float(right), float(bottom), float(top)


def grid_of(extent: tuple[float, float, float, float], resolution: int = RESOLUTION) -> np.ndarray:
    """The centres of the grid's cells, row by row from the bottom: float32 (resolution², 2)."""
    left, right, bottom, top = extent
    steps = (np.arange(resolution) + 0.5) / resolution
    columns, rows = np.meshgrid(left + steps * (right - left), bottom + steps * (top - bottom))
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


def received(plane: np.ndarray, spec: Points, scaler: Scaler) -> NDArray[np.float32]:
    """What a network receives of points of the plane (n, 2): their features, scaled; float32 (n, features)."""
    return scaler.transform(features_of(plane, spec.features))


def pack_surface(scores: np.ndarray, extent: tuple[float, float, float, float]) -> bytes:
    """A surface as bytes: uint16 (rows, columns, classes), float32 extent, float16 scores; little-endian.

    Args:
        scores: (rows · columns,) or (rows · columns, classes) of a square grid.
    """
    side, classes = int(np.sqrt(len(scores))), 1 if scores.ndim == 1 else scores.shape[1]
    return struct.pack("<3H4f", side, side, classes, *extent) + scores.astype("<f2").tobytes()
