"""What a network receives of a point in the plane: its coordinates, and functions of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.spec.data import Feature

Column = NDArray[np.floating[Any]]

FEATURES: dict[Feature, tuple[str, Callable[[Column, Column], Column]]] = {
    "x": ("x", lambda x, y: x),
    "y": ("y", lambda x, y: y),
    "x2": ("x²", lambda x, y: x**2),
    "y2": ("y²", lambda x, y: y**2),
    "xy": ("xy", lambda x, y: x * y),
    # The plane of TensorFlow Playground is five times as wide as ours: these are its sin x and sin y.
    "sin_x": ("sin 5x", lambda x, y: np.sin(5 * x)),
    "sin_y": ("sin 5y", lambda x, y: np.sin(5 * y)),
}
"""Every feature: what people call it, and the function of the two coordinates (n,) that gives it (n,)."""


def features_of(plane: NDArray[np.floating[Any]], features: Sequence[Feature]) -> NDArray[np.float64]:
    """The features of points (n, 2), not scaled: (n, len(features)), in that order."""
    x, y = plane.astype(np.float64).T
    return np.stack([FEATURES[name][1](x, y) for name in features], axis=1)
