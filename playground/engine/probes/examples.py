"""Examples of the run's own data in their own units, and what values their features take."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.probes.subject import Subject
from playground.errors import SpecError
from playground.spec.probes import Example, Ranges


def example(subject: Subject, asked: Example, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """One example of a split.

    Returns:
        ``x`` (1, *input_shape) in the data set's own units, uint8 for pictures and else float64; ``y`` its class index
        or number; ``count``, how many examples the split has.

    Raises:
        SpecError: the split has no such example.
    """
    x, y = subject.part(asked.part)
    if asked.index >= len(x):
        raise SpecError(f"There are {len(x):,} {asked.part} examples. Choose one from 0 to {len(x) - 1:,}.", "index")
    row = slice(asked.index, asked.index + 1)
    return {"x": subject.raw(x[row]), "y": y[asked.index].item(), "count": len(x)}


def ranges(subject: Subject, asked: Ranges, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """The span of each feature over the training examples, and where to begin.

    Returns:
        ``low`` and ``high``, float64 (*input_shape,) in the data set's own units; ``typical``, the training example
        (*input_shape,) nearest to the median of every feature. Of points: of their coordinates (2,), from which all
        features follow.
    """
    x, _ = subject.part("train")
    own = subject.raw(x) if subject.data.plane is None else subject.data.plane
    low, high = own.min(axis=0), own.max(axis=0)
    off = (x - np.median(x, axis=0)).reshape(len(x), -1)
    # Features of very different size count the same.
    widths = np.maximum(off.std(axis=0), np.finfo(np.float32).tiny)
    nearest = int(((off / widths) ** 2).sum(axis=1).argmin())
    return {"low": low, "high": high, "typical": own[nearest]}
