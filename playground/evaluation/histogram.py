"""Histograms of what is measured in networks, where values may be all the same, enormous, or not numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 40
"""Of every histogram."""
SAME = 1e-6
"""Values that differ by less than this part of them have no distribution that a histogram could show."""


def histogram(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts (BINS,) between edges (BINS + 1,), from the smallest to the largest finite value of an array.

    Where all are the same, and where there is none, the edges lie half a unit (or half of the value) to both sides.
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    if high - low <= SAME * max(abs(low), abs(high)):
        room = max(abs(low), 1) / 2
        low, high = low - room, high + room
    counts, edges = np.histogram(finite, BINS, (low, high))
    return counts.astype(np.int64), edges
