"""Scores of predicted numbers."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from playground.evaluation.arrays import check_arrays
from playground.evaluation.results import Regression


def regress(y_true: ArrayLike, y_pred: ArrayLike) -> Regression:
    """Judge predicted numbers.

    Args:
        y_true: (n,), the numbers to predict.
        y_pred: (n,) or (n, 1), the predicted ones.

    Raises:
        PlaygroundError: no examples, different lengths, or predictions that are not finite.
    """
    true: Any = np.asarray(y_true, np.float64).ravel()
    predicted: Any = np.asarray(y_pred, np.float64).ravel()
    check_arrays(true, predicted)
    mse = float(mean_squared_error(true, predicted))
    return Regression(
        mae=float(mean_absolute_error(true, predicted)),
        mse=mse,
        rmse=math.sqrt(mse),
        r2=float(r2_score(true, predicted)) if len(true) > 1 else math.nan,
        y_true=true,
        y_pred=predicted,
        residuals=true - predicted,
    )
