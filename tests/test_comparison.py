"""Comparisons against published numbers, scipy's own tests, and intervals computed here in another way."""

import math

import numpy as np
import pytest
from scipy import stats

from playground.errors import PlaygroundError
from playground.evaluation import compare_classes, compare_numbers, compare_seeds


def tables(both, gained, lost, neither):
    """Two classes and scores of two networks with these counts of right and wrong answers."""
    right_before = np.repeat([1, 0, 1, 0], [both, gained, lost, neither])
    right_after = np.repeat([1, 1, 0, 0], [both, gained, lost, neither])
    y_true = np.arange(len(right_before)) % 2
    scores = [np.where(right == 1, y_true, 1 - y_true).astype(float) for right in (right_before, right_after)]
    return y_true, *scores


def test_interval_and_test_of_a_published_table():
    """Newcombe 1998, table II: 36 pairs alike, 12 against 2 that differ, none wrong in both."""
    result = compare_classes(*tables(36, 12, 2, 0))
    assert (result.before, result.after) == (38 / 50, 48 / 50)
    assert result.difference == pytest.approx(0.2)
    assert (round(result.low, 4), round(result.high, 4)) == (0.0569, 0.3404)
    # McNemar's exact test is the sign test on the pairs that differ.
    assert result.p_value == pytest.approx(2 * stats.binom.cdf(2, 14, 0.5))
    assert result.helped is True


@pytest.mark.parametrize("counts", [(700, 150, 50, 100), (300, 40, 60, 20), (5000, 30, 12, 90)])
def test_interval_agrees_with_a_paired_bootstrap_of_many_examples(counts):
    result = compare_classes(*tables(*counts))
    n = sum(counts)
    samples = np.random.default_rng(1).multinomial(n, np.array(counts) / n, 40_000)
    low, high = np.quantile((samples[:, 1] - samples[:, 2]) / n, [0.025, 0.975])
    assert (result.low, result.high) == pytest.approx((low, high), abs=0.12 * (high - low))


def test_interval_covers_the_truth_as_often_as_it_says():
    rng, truth = np.random.default_rng(2), np.array([0.75, 0.14, 0.04, 0.07])
    covered = 0
    for counts in rng.multinomial(60, truth, 600):
        result = compare_classes(*tables(*counts))
        covered += result.low <= 0.10 <= result.high
    assert 0.93 <= covered / 600 <= 0.995


def test_equal_predictions_are_no_sure_difference():
    for counts in ((10, 0, 0, 0), (0, 0, 0, 10), (7, 0, 0, 3)):
        result = compare_classes(*tables(*counts))
        assert result.helped is None
        assert result.p_value == 1
        assert result.low < 0 < result.high


def test_softmax_scores_are_judged_by_their_largest():
    y_true, before, after = tables(20, 9, 1, 5)
    as_softmax = [np.stack([1 - score, score], axis=1) for score in (before, after)]
    assert compare_classes(y_true, *as_softmax) == compare_classes(y_true, before, after)


def test_numbers_are_compared_by_their_absolute_errors():
    rng = np.random.default_rng(3)
    y_true = rng.normal(150, 50, 200)
    before, after = y_true + rng.normal(0, 30, 200), y_true + rng.normal(0, 20, 200)
    result = compare_numbers(y_true, before[:, None], after)
    assert result.before == pytest.approx(np.abs(y_true - before).mean())
    assert result.after == pytest.approx(np.abs(y_true - after).mean())
    differences = np.abs(y_true - after) - np.abs(y_true - before)
    expected = stats.bootstrap((differences,), np.mean, method="percentile", rng=np.random.default_rng(9))
    low, high = expected.confidence_interval
    assert (result.low, result.high) == pytest.approx((low, high), abs=0.06 * (high - low))
    assert result == compare_numbers(y_true, before, after)
    assert result.helped is True, "a smaller error is the better one"
    assert math.isnan(result.p_value)


def test_seeds_are_compared_by_students_interval():
    before, after = [0.80, 0.84, 0.79], [0.91, 0.93, 0.92]
    result = compare_seeds(before, after, "accuracy")
    expected = stats.ttest_rel(after, before)
    assert result.p_value == pytest.approx(expected.pvalue)
    assert (result.low, result.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert result.helped is True
    assert compare_seeds(before, after, "loss", higher_is_better=False).helped is False


def test_seeds_that_always_differ_by_the_same_leave_no_doubt():
    same = compare_seeds([0.5, 0.5], [0.5, 0.5], "accuracy")
    assert (same.low, same.high, same.p_value, same.helped) == (0, 0, 1, None)
    assert compare_seeds([0.5, 0.5], [0.75, 0.75], "accuracy").p_value == 0


def test_one_seed_says_nothing_of_seeds():
    with pytest.raises(PlaygroundError, match="Two seeds at least"):
        compare_seeds([0.5], [0.6], "accuracy")
    with pytest.raises(PlaygroundError, match="finite"):
        compare_seeds([0.5, math.nan], [0.6, 0.7], "accuracy")


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(PlaygroundError, match="2 targets but 1"):
        compare_classes([0, 1], [0.1, 0.9], [0.5])
    with pytest.raises(PlaygroundError, match="not a finite number"):
        compare_numbers([1.0], [1.0], [math.nan])


def test_the_answer_in_words():
    said = compare_classes(*tables(36, 12, 2, 0)).sentence("Fine-tuning", "the model as it was")
    assert said == (
        "Fine-tuning beats the model as it was: accuracy 96.0% against 76.0%, a difference of +20.0 percentage points "
        "(95% interval +5.7 to +34.0 over 50 test examples, p = 0.013)."
    )
    worse = compare_seeds([0.90, 0.91], [0.70, 0.71], "accuracy").sentence("Fine-tuning", "training from scratch")
    assert worse.startswith("Fine-tuning falls behind training from scratch: accuracy 70.5% against 90.5%")
    assert "−20.0" in worse
    unsure = compare_numbers([1, 2, 3], [1, 2, 3.5], [1.5, 2, 3]).sentence("Fine-tuning", "training from scratch")
    assert unsure.startswith("No sure difference between fine-tuning and training from scratch: mean absolute error")
    assert unsure.endswith("so it could be either.")
