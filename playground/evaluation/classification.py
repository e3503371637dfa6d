"""Scores of predicted classes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import auc, confusion_matrix, precision_recall_fscore_support, roc_curve

from playground.errors import PlaygroundError
from playground.evaluation.arrays import check_arrays
from playground.evaluation.results import Classification, ClassScores, Floats, RocCurve

CURVE_POINTS = 300
"""More cannot be told apart on a screen."""


def classify(
    y_true: ArrayLike, y_score: ArrayLike, class_names: Sequence[str], threshold: float = 0.5
) -> Classification:
    """Judge the scores that a network gave to classes.

    Args:
        y_true: (n,), index of the true class.
        y_score: (n, classes), the class with the largest score is the predicted one; or (n,) for two classes, the
            score of the second. Columns beyond the named classes are outputs that no class belongs to.
        class_names: in the order of the indices.
        threshold: from which score on the second of two classes is predicted; only for (n,).

    Raises:
        PlaygroundError: no examples, different lengths, unknown classes, or scores that are not finite.
    """
    true: NDArray[Any] = np.asarray(y_true)
    score: Floats = np.asarray(y_score, np.float64)
    check_arrays(true, score)
    columns = score.shape[1] if score.ndim == 2 else 2
    names = (*class_names, *(f"output {i}" for i in range(len(class_names), columns)))
    if columns < len(class_names) or not 0 <= true.min() <= true.max() < len(class_names):
        raise PlaygroundError(
            f"The {len(class_names)} classes, {columns} outputs and targets from {true.min()} to {true.max()} do not "
            "belong together. Judge the network on the data that it was trained on."
        )
    predicted = score.argmax(axis=1) if score.ndim == 2 else (score >= threshold).astype(np.intp)
    curves, micro, macro = _curves(true, score, names)
    return Classification(
        class_names=names,
        accuracy=float((true == predicted).mean()),
        confusion=confusion_matrix(true, predicted, labels=range(columns)),
        per_class=_per_class(true, predicted, names),
        macro=_average(true, predicted, "macro"),
        weighted=_average(true, predicted, "weighted"),
        micro=_average(true, predicted, "micro"),
        roc=curves,
        roc_micro=micro,
        roc_macro=macro,
    )


def _per_class(true: NDArray[Any], predicted: NDArray[Any], names: Sequence[str]) -> tuple[ClassScores, ...]:
    scores = precision_recall_fscore_support(true, predicted, labels=range(len(names)), zero_division=0.0)
    return tuple(
        ClassScores(name, float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(names, *scores, strict=True)
    )


def _average(true: NDArray[Any], predicted: NDArray[Any], average: str) -> ClassScores:
    """Over the classes that occur, as targets or as predictions: scikit-learn's own choice."""
    precision, recall, f1, _ = precision_recall_fscore_support(true, predicted, average=average, zero_division=0.0)
    return ClassScores(f"{average} average", float(precision), float(recall), float(f1), len(true))


def _curves(
    true: NDArray[Any], score: Floats, names: Sequence[str]
) -> tuple[tuple[RocCurve, ...], RocCurve | None, RocCurve | None]:
    """The curve of each class, of the micro and of the macro average."""
    if score.ndim == 1:
        return (_curve(names[1], true == 1, score),), None, None
    is_class = true[:, None] == np.arange(len(names))  # (n, classes)
    curves = tuple(_curve(name, is_class[:, k], score[:, k]) for k, name in enumerate(names))
    return curves, _curve("micro average", is_class.ravel(), score.ravel()), _macro(curves)


def _curve(name: str, is_positive: NDArray[np.bool_], score: Floats) -> RocCurve:
    if is_positive.all() or not is_positive.any():
        wanted = "other than" if is_positive.all() else "of"
        return _no_curve(name, f"There is no example {wanted} {name} among these, so there is nothing to tell apart.")
    fpr, tpr, thresholds = roc_curve(is_positive, score)
    # Evenly spaced along the curve; both rates only grow, so their sum measures the way from (0, 0) to (1, 1).
    shown = np.unique(np.searchsorted(fpr + tpr, np.linspace(0, 2, CURVE_POINTS)))
    return RocCurve(name, fpr[shown], tpr[shown], thresholds[shown], float(auc(fpr, tpr)))


def _macro(curves: Sequence[RocCurve]) -> RocCurve:
    drawn = [curve for curve in curves if not curve.reason]
    if not drawn:
        return _no_curve("macro average", "There is only one class among these examples.")
    fpr = np.linspace(0, 1, CURVE_POINTS - 1)
    tpr = np.mean([np.interp(fpr, curve.fpr, curve.tpr) for curve in drawn], axis=0)
    area = float(np.mean([curve.auc for curve in drawn]))
    # At a false positive rate of 0 the curve rises straight from the origin.
    return RocCurve("macro average", np.r_[0.0, fpr], np.r_[0.0, tpr], np.empty(0), area)


def _no_curve(name: str, reason: str) -> RocCurve:
    return RocCurve(name, np.empty(0), np.empty(0), np.empty(0), math.nan, reason)
