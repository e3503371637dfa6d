"""Scaling: fitted on the training split alone, and kept as two plain arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.spec import DATASETS
from playground.spec.data import Data, Digits

WHITE: dict[type[Data], float] = {
    kind: 16.0 if kind is Digits else 255.0 for kind in DATASETS if kind.family == "images"
}
"""The largest value a pixel can have: minmax divides pictures by it, whatever the brightest pixel in this split is."""


@dataclass(frozen=True, eq=False)
class Scaler:
    """``x' = (x − offset) · factor``; both are float64, (features,) or () where one number serves all values."""

    offset: NDArray[np.float64]
    factor: NDArray[np.float64]

    def transform(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        """``x`` scaled: float32, C-contiguous, a new array."""
        # Bytes are exact in float32, and there can be fifty million of them; other numbers keep their digits until
        # the offset is gone.
        working = np.float32 if x.dtype == np.uint8 else np.float64
        scaled = np.subtract(x, self.offset, dtype=working)
        scaled *= self.factor.astype(working)
        return np.ascontiguousarray(scaled, dtype=np.float32)

    def inverse(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """What was scaled to ``x``, in its own units; exact to the digits of float32."""
        return np.asarray(x, np.float64) / self.factor + self.offset


def fit(spec: Data, x_train: NDArray[np.generic]) -> Scaler:
    """The scaler that ``spec`` asks for, from the training examples (n, *input_shape).

    Pictures are scaled by a single mean and standard deviation, all other data feature by feature. A feature that is
    constant in the training split is only shifted.
    """
    offset: NDArray[np.float64] = np.zeros(())
    width: NDArray[np.float64] = np.ones(())
    if spec.scaling == "minmax" and spec.family == "images":
        width = np.array(WHITE[type(spec)])
    elif spec.scaling == "minmax":
        offset = x_train.min(axis=0)
        width = x_train.max(axis=0) - offset
    elif spec.scaling == "standard" and spec.family == "images":
        offset = np.array(x_train.mean(dtype=np.float64))
        width = np.array(x_train.std(dtype=np.float32), np.float64)  # float64 would need 380 MB for MNIST
    elif spec.scaling == "standard":
        offset, width = x_train.mean(axis=0), x_train.std(axis=0)
    # The deviation of a constant column comes out as rounding noise instead of 0.
    constant = width <= 10 * np.finfo(np.float64).eps * np.abs(offset)
    return Scaler(offset, 1 / np.where(constant, 1.0, width))
