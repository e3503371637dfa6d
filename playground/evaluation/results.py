"""What a judgement consists of: plain numbers and arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of one class, or an average over classes."""

    name: str
    precision: float
    """Of those called this class, the share that is."""
    recall: float
    """Of those that are this class, the share that was found."""
    f1: float
    """2 · precision · recall / (precision + recall)."""
    support: int
    """Examples of this class; of an average, all examples."""


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """True positive rate against false positive rate while the threshold falls; at most 300 points, to draw."""

    name: str
    fpr: Floats
    tpr: Floats
    thresholds: Floats
    """(points,), the first one is infinite: nothing is called positive. Empty for the macro average."""
    auc: float
    """Area under the curve before it was thinned; NaN where there is no curve."""
    reason: str = ""
    """Why there is no curve."""


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """How well classes were told apart."""

    class_names: tuple[str, ...]
    """One per output, so k of them."""
    accuracy: float
    confusion: NDArray[np.int64]
    """(k, k): examples of the row's class that were called the column's class."""
    per_class: tuple[ClassScores, ...]
    macro: ClassScores
    """Every class counts the same."""
    weighted: ClassScores
    """Every class counts by its support."""
    micro: ClassScores
    """Every example counts the same; with one class per example precision, recall and F1 equal the accuracy."""
    roc: tuple[RocCurve, ...]
    """Each class against the rest; of two classes with one score, only the second."""
    roc_micro: RocCurve | None = None
    """Over all pairs of example and class; None where ``roc`` is a single curve."""
    roc_macro: RocCurve | None = None
    """Mean of the curves in ``roc`` at equal false positive rates; its ``auc`` is the mean of theirs."""


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """How near predicted numbers are, in the unit of the target."""

    mae: float
    """Mean absolute error."""
    mse: float
    """Mean squared error."""
    rmse: float
    """Root of the mean squared error."""
    r2: float
    """1 − mse / variance of the target: 1 is perfect, 0 as good as its mean; NaN for fewer than two examples."""
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    residuals: NDArray[Any]
    """``y_true − y_pred``, (n,)."""
