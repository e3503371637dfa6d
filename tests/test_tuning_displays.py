"""What the figures of fine-tuning say and draw."""

import math

import numpy as np
import pytest

from playground.displays.curves import LearningCurves, learning_curve_spec
from playground.displays.tuning import BeforeAfter, TuningCurves, WeightChanges
from tests.runs import points_of

SCORES = {
    "New task": {"before": [0.1, 0.2], "fine-tuned": [0.9, 0.94], "from scratch": [0.8, 0.7]},
    "Old task": {"before": [0.97, 0.97], "fine-tuned": [0.4, 0.5]},
}


class TestBeforeAfter:
    def test_a_mark_per_task_seed_and_state(self):
        data = BeforeAfter("accuracy", SCORES).plot().data
        assert data.num_rows == 10
        rows = {(row["task"], row["who"]) for row in data.to_pylist()}
        assert ("Old task", "from scratch") not in rows

    def test_says_the_means_over_the_seeds(self):
        assert BeforeAfter("accuracy", SCORES).summary() == (
            "New task: 15.0% before, 92.0% fine-tuned, 75.0% from scratch. Old task: 97.0% before, 45.0% fine-tuned."
        )

    def test_scores_that_are_no_shares_have_no_fixed_scale(self):
        figure = BeforeAfter("mean_absolute_error", {"New task": {"before": [60.0], "fine-tuned": [math.nan]}}).plot()
        assert figure.data.num_rows == 1
        assert "domain" not in figure.spec["layer"][1]["encoding"]["x"]["scale"]

    def test_nothing_to_show(self):
        assert BeforeAfter("accuracy", {}).plot().data.num_rows == 0


class TestTuningCurves:
    curves = LearningCurves.from_points(points_of(4))

    def test_a_line_per_run_from_its_first_epoch(self):
        later = LearningCurves(
            {}, {}, {name: (epochs + 100, values) for name, (epochs, values) in self.curves.validation.items()}
        )
        data = TuningCurves("accuracy", [self.curves, later], [self.curves]).plot().data.to_pandas()
        assert sorted(data["run"].unique()) == ["fine-tuned 1", "fine-tuned 2", "from scratch 1"]
        assert data.groupby("run")["epoch"].apply(list).tolist() == [[1, 2, 3, 4]] * 3
        np.testing.assert_allclose(data["value"][:4], self.curves.validation["accuracy"][1])

    def test_says_where_each_began_and_ended(self):
        assert TuningCurves("accuracy", [self.curves], [self.curves]).summary() == (
            "Fine-tuned: 40.0% after the first epoch, 85.0% after the last. "
            "From scratch: 40.0% after the first epoch, 85.0% after the last."
        )

    def test_nothing_yet(self):
        shown = TuningCurves("accuracy", [LearningCurves.from_points(())], [])
        assert shown.plot().data.num_rows == 0
        assert "appear with the first" in shown.summary()


@pytest.mark.parametrize(
    ("relative", "says"),
    [
        ([0.0, 0.25, 1.5], "output moved most, by 150.0% of its size. 1 layer stayed exactly as before."),
        ([0.1, 0.25, 0.0], "hidden moved most, by 25.0% of its size. 1 layer stayed exactly as before."),
        ([0.1, 0.25, 0.5], "output moved most, by 50.0% of its size."),
        ([0.0, 0.0, 0.0], "No layer changed."),
        ([0.0, 0.0, math.nan], "2 layers stayed exactly as before."),
    ],
)
def test_weight_changes_in_words(relative, says):
    shown = WeightChanges(["conv", "hidden", "output"], relative)
    assert shown.plot().summary == says
    assert shown.plot().data.num_rows == 3


def test_stages_are_marked_on_a_learning_curve():
    curves, marks = LearningCurves.from_points(points_of(4)), ((0.0, "Head only"), (2.0, "All layers"))
    marked = curves.plot("loss", marks)
    assert marked is curves.plot("loss", marks)
    rule, text = marked.spec["layer"][-2:]
    assert rule["data"]["values"] == [{"epoch": 0.0, "label": "Head only"}, {"epoch": 2.0, "label": "All layers"}]
    assert text["encoding"]["text"] == {"field": "label"}
    assert curves.plot("loss").spec == learning_curve_spec("loss")
