"""Scores against formulas written out here, and against scikit-learn where it has a second way."""

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from playground.errors import PlaygroundError
from playground.evaluation import Classification, RocCurve, classify, regress

NAMES = ("cat", "dog", "fish")


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def scores() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """400 examples of three classes, and softmax scores that are right more often than not."""
    rng = np.random.default_rng(7)
    y_true = rng.choice(3, 400, p=[0.6, 0.3, 0.1])
    logits = rng.normal(size=(400, 3)) + 1.2 * np.eye(3)[y_true]
    return y_true, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_counts_and_rates_follow_their_definitions(scores: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    y_true, y_score = scores
    result = classify(y_true, y_score, NAMES)
    called = y_score.argmax(axis=1)
    assert result.accuracy == np.mean(called == y_true)
    assert result.confusion.sum() == 400
    for k, row in enumerate(result.per_class):
        hits = np.sum((called == k) & (y_true == k))
        assert result.confusion[k, k] == hits
        assert row.name == NAMES[k]
        assert row.support == np.sum(y_true == k) == result.confusion[k].sum()
        assert row.precision == pytest.approx(hits / np.sum(called == k))
        assert row.recall == pytest.approx(hits / np.sum(y_true == k))
        assert row.f1 == pytest.approx(2 * hits / (np.sum(called == k) + np.sum(y_true == k)))


def test_averages_follow_their_definitions(scores: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    result = classify(*scores, NAMES)
    supports = [row.support for row in result.per_class]
    for score in ("precision", "recall", "f1"):
        per_class = [getattr(row, score) for row in result.per_class]
        assert getattr(result.macro, score) == pytest.approx(np.mean(per_class))
        assert getattr(result.weighted, score) == pytest.approx(np.average(per_class, weights=supports))
        assert getattr(result.micro, score) == pytest.approx(result.accuracy)
    assert result.macro.support == 400


def test_areas_are_those_of_another_computation(scores: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    y_true, y_score = scores
    result = classify(y_true, y_score, NAMES)
    assert result.roc_micro is not None
    assert result.roc_macro is not None
    for k, curve in enumerate(result.roc):
        positive, negative = y_score[y_true == k, k], y_score[y_true != k, k]
        # The area is the chance that a positive example scores higher than a negative one.
        chance = np.mean(positive[:, None] > negative) + np.mean(positive[:, None] == negative) / 2
        assert curve.auc == pytest.approx(chance)
    assert result.roc_macro.auc == pytest.approx(roc_auc_score(y_true, y_score, multi_class="ovr", average="macro"))
    assert result.roc_micro.auc == pytest.approx(roc_auc_score(np.eye(3)[y_true], y_score, average="micro"))


def drawn_area(curve: RocCurve) -> float:
    return float(np.trapezoid(curve.tpr, curve.fpr))


def curves(result: Classification) -> list[RocCurve]:
    return [curve for curve in (*result.roc, result.roc_micro, result.roc_macro) if curve is not None]


def test_drawn_curves_are_short_rise_from_corner_to_corner_and_keep_their_area() -> None:
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 3, 20_000)
    y_score = rng.random((20_000, 3)) + 0.4 * np.eye(3)[y_true]
    for curve in curves(classify(y_true, y_score, NAMES)):
        assert len(curve.fpr) == len(curve.tpr) <= 300
        assert (curve.fpr[0], curve.tpr[0]) == (0, 0)
        assert (curve.fpr[-1], curve.tpr[-1]) == (1, 1)
        assert (np.diff(curve.fpr) >= 0).all()
        assert (np.diff(curve.tpr) >= 0).all()
        assert drawn_area(curve) == pytest.approx(curve.auc, abs=2e-3)


def test_a_perfect_classifier_has_areas_of_one() -> None:
    result = classify([0, 1, 2, 1], np.eye(3)[[0, 1, 2, 1]], NAMES)
    assert result.accuracy == result.macro.f1 == 1
    assert [curve.auc for curve in curves(result)] == [1] * 5


def test_two_classes_with_one_score_are_told_apart_at_the_threshold() -> None:
    y_true, y_score = [0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9]
    at_half = classify(y_true, y_score, ("no", "yes"))
    assert at_half.confusion.tolist() == [[1, 1], [0, 2]]
    assert classify(y_true, y_score, ("no", "yes"), threshold=0.7).confusion.tolist() == [[2, 0], [1, 1]]
    assert [curve.name for curve in at_half.roc] == ["yes"]
    assert at_half.roc[0].auc == 0.75
    assert math.isinf(at_half.roc[0].thresholds[0])
    assert at_half.roc_micro is at_half.roc_macro is None


def test_a_class_without_examples_has_no_curve_and_says_why() -> None:
    y_true = np.array([0, 1, 0, 1])
    result = classify(y_true, [[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.3, 0.5], [0.3, 0.4, 0.3]], NAMES)
    absent = result.roc[2]
    assert math.isnan(absent.auc)
    assert "no example of fish" in absent.reason
    assert len(absent.fpr) == 0
    assert result.per_class[2].support == 0
    assert result.per_class[2].recall == 0
    assert result.roc_macro is not None
    assert result.roc_macro.auc == pytest.approx((result.roc[0].auc + result.roc[1].auc) / 2)


def test_a_class_that_never_occurs_does_not_lower_the_averages() -> None:
    result = classify([0, 1], np.eye(3)[[0, 1]], NAMES)
    assert result.macro.recall == 1


def test_a_single_class_leaves_no_curve_at_all() -> None:
    result = classify([1, 1], [[0.2, 0.7, 0.1], [0.3, 0.6, 0.1]], NAMES)
    assert "no example other than dog" in result.roc[1].reason
    assert result.roc_macro is not None
    assert math.isnan(result.roc_macro.auc)
    assert "no example of yes" in classify([0, 0], [0.2, 0.4], ("no", "yes")).roc[0].reason


def test_outputs_without_a_class_are_judged_too() -> None:
    result = classify([0, 1], [[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]], ("no", "yes"))
    assert result.class_names == ("no", "yes", "output 2")
    assert result.confusion.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("y_true", "y_score", "said"),
    [
        ([0, 1], [0.5, math.nan], "not a finite number for 1 of 2 examples. Lower the learning rate"),
        ([0, 1], [[0.5, 0.5], [math.inf, 0.0]], "not a finite number for 1 of 2"),
        ([], [], "no examples to judge"),
        ([0, 1], [0.5], "2 targets but 1 predictions"),
        ([0, 2], [0.5, 0.5], "do not belong together"),
        ([0, 1], [[1.0], [1.0]], "do not belong together"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_plain_words(
    y_true: list[int], y_score: list[float] | list[list[float]], said: str
) -> None:
    with pytest.raises(PlaygroundError, match=said):
        classify(y_true, y_score, ("no", "yes"))


def test_errors_of_numbers_follow_their_definitions() -> None:
    rng = np.random.default_rng(1)
    y_true = rng.normal(150, 70, 88)
    y_pred = y_true + rng.normal(5, 40, 88)
    result = regress(y_true, y_pred[:, None])
    residuals = y_true - y_pred
    np.testing.assert_allclose(result.residuals, residuals)
    assert result.mae == pytest.approx(np.mean(np.abs(residuals)))
    assert result.mse == pytest.approx(np.mean(residuals**2))
    assert result.rmse == pytest.approx(math.sqrt(np.mean(residuals**2)))
    assert result.r2 == pytest.approx(1 - np.sum(residuals**2) / np.sum((y_true - y_true.mean()) ** 2))


def test_one_number_has_no_r2() -> None:
    result = regress([1.0], [3.0])
    assert math.isnan(result.r2)
    assert result.mae == 2


def test_predicted_numbers_must_be_finite() -> None:
    with pytest.raises(PlaygroundError, match="not a finite number for 1 of 2"):
        regress([1.0, 2.0], [1.0, math.nan])
