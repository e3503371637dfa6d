"""Whether one network is better than another, by how much, and how sure that is.

Both are judged on the same examples, or trained with the same seeds, so differences are taken pair by pair: what is
hard for both drops out. Intervals cover the true difference in 95 of 100 repetitions.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from playground.errors import PlaygroundError
from playground.evaluation.arrays import check_arrays
from playground.evaluation.compared import Comparison

CONFIDENCE = 0.95
RESAMPLES = 5_000
"""Bootstrap samples: the ends of the interval move by less than a twentieth of its width from seed to seed."""
_Z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))


def compare_classes(y_true: ArrayLike, score_before: ArrayLike, score_after: ArrayLike) -> Comparison:
    """Accuracies on the same examples.

    The interval is Newcombe's hybrid score interval (method 10 of R. G. Newcombe, *Improved confidence intervals for
    the difference between binomial proportions based on paired data*, Statistics in Medicine 17, 1998), which holds
    its level also near 0 and 1 and for few examples; the test is McNemar's, exact: among the examples that only one of
    the two gets right, each is the better one with the same probability.

    Args:
        y_true: (n,), index of the true class.
        score_before: (n, classes), or (n,) for two classes: the score of the second, predicted from 0.5 on.
        score_after: the same of the network in question.

    Raises:
        PlaygroundError: no examples, different lengths, or scores that are not finite.
    """
    true: NDArray[Any] = np.asarray(y_true)
    before, after = _is_right(true, score_before), _is_right(true, score_after)
    both, neither = int((before & after).sum()), int((~before & ~after).sum())
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    low, high = _newcombe(both, gained, lost, neither)
    p_value = float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return Comparison(
        "accuracy", float(before.mean()), float(after.mean()), low, high, len(true), "test examples", p_value
    )


def compare_numbers(y_true: ArrayLike, before: ArrayLike, after: ArrayLike, seed: int = 0) -> Comparison:
    """Mean absolute errors on the same examples, in the unit of the target.

    The interval holds the middle 95 % of the mean differences of resampled examples: the percentile bootstrap
    (B. Efron, R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13).

    Args:
        y_true: (n,), the numbers to predict.
        before: (n,) or (n, 1), the predicted ones.
        after: the same of the network in question.
        seed: of the resampling; the same seed gives the same interval.

    Raises:
        PlaygroundError: no examples, different lengths, or predictions that are not finite.
    """
    true: NDArray[Any] = np.asarray(y_true, np.float64).ravel()
    errors_before, errors_after = _errors(true, before), _errors(true, after)
    differences, rng = errors_after - errors_before, np.random.default_rng(seed)
    # One sample at a time: all at once would be a matrix of examples × resamples.
    means = [differences[rng.integers(0, len(true), len(true))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Comparison(
        "mean absolute error", float(errors_before.mean()), float(errors_after.mean()), float(low), float(high),
        len(true), "test examples", math.nan, higher_is_better=False,
    )  # fmt: skip


def compare_seeds(
    before: Sequence[float], after: Sequence[float], score: str, *, higher_is_better: bool = True
) -> Comparison:
    """Means over several trainings, paired by their seeds.

    The interval is Student's for the mean of the differences, with one degree of freedom less than there are seeds
    (Student, *The probable error of a mean*, Biometrika 6, 1908); it takes the differences for normally distributed.

    Args:
        before: a score per seed.
        after: the scores of the network in question, for the same seeds in the same order.
        score: what was measured.
        higher_is_better: False for losses and errors.

    Raises:
        PlaygroundError: fewer than two seeds, different numbers of them, or scores that are not finite.
    """
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if len(first) != len(second) or len(first) < 2 or not np.isfinite(first).all() or not np.isfinite(second).all():
        raise PlaygroundError(
            "Two seeds at least are needed to say how sure a difference is, each with a finite score of both "
            "trainings. Train with more seeds."
        )
    differences = second - first
    error = float(differences.std(ddof=1)) / math.sqrt(len(first))
    freedom = len(first) - 1
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * error
    mean = float(differences.mean())
    p_value = 2 * float(stats.t.sf(abs(mean) / error, freedom)) if error else float(mean == 0)
    return Comparison(
        score, float(first.mean()), float(second.mean()), mean - reach, mean + reach, len(first), "seeds", p_value,
        higher_is_better=higher_is_better,
    )  # fmt: skip


def _is_right(true: NDArray[Any], score: ArrayLike) -> NDArray[np.bool_]:
    scores: NDArray[Any] = np.asarray(score, np.float64)
    check_arrays(true, scores)
    predicted = scores.argmax(axis=1) if scores.ndim == 2 and scores.shape[1] > 1 else scores.ravel() >= 0.5
    return np.asarray(predicted == true, np.bool_)


def _errors(true: NDArray[Any], predicted: ArrayLike) -> NDArray[np.float64]:
    numbers: NDArray[Any] = np.asarray(predicted, np.float64).ravel()
    check_arrays(true, numbers)
    errors: NDArray[np.float64] = np.abs(true - numbers)
    return errors


def _newcombe(both: int, gained: int, lost: int, neither: int) -> tuple[float, float]:
    """Limits of the difference of two paired proportions, ``(gained − lost) / n``."""
    n = both + gained + lost + neither
    after, before = (both + gained) / n, (both + lost) / n
    (after_low, after_high), (before_low, before_high) = _wilson(after, n), _wilson(before, n)
    margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    product = both * neither - gained * lost
    # A positive correlation is taken n/2 smaller, down to none: the continuity correction of method 10.
    corrected = max(product - n / 2, 0) if product > 0 else product
    phi = corrected / math.sqrt(margins) if margins else 0.0
    down, up = after - after_low, before_high - before
    left = math.sqrt(down**2 - 2 * phi * down * up + up**2)
    down, up = before - before_low, after_high - after
    right = math.sqrt(down**2 - 2 * phi * down * up + up**2)
    return after - before - left, after - before + right


def _wilson(share: float, n: int) -> tuple[float, float]:
    """E. B. Wilson's score interval of a share (Journal of the American Statistical Association 22, 1927)."""
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    reach = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return centre - reach, centre + reach
