"""Displays, tested on their arrays and on what they say: pictures are looked at, not asserted."""

import json
import struct
from xml.etree import ElementTree

import numpy as np
import pytest

from playground.displays import palette, words
from playground.displays.curves import MAX_POINTS, LearningCurves, thin
from playground.displays.matrix import ConfusionMatrix
from playground.displays.preview import ImageGrid, TablePreview
from playground.displays.regression import PredictedVsTrue, Residuals
from playground.displays.roc import RocCurves
from playground.displays.stack import StackPicture
from playground.displays.surface import DecisionSurface
from playground.displays.thumbnail import Thumbnail, sparkline
from playground.evaluation import classify
from playground.records import Description, LayerRow, Point
from playground.spec import DATASETS
from playground.ui.pictures import picture
from tests.runs import points_of, surface


def curves(**values: list[float]) -> LearningCurves:
    """Curves of one value an epoch."""
    epochs = len(next(iter(values.values())))
    return LearningCurves.from_points(
        Point(k, float(k + 1), "epoch", {name: column[k] for name, column in values.items()}) for k in range(epochs)
    )


class TestLearningCurves:
    def test_kinds_of_points_are_told_apart(self):
        points = [Point(1, 0.1, "chunk", {"loss": 2.0}), Point(10, 1.0, "epoch", {"loss": 1.0, "val_loss": 1.5})]
        shown = LearningCurves.from_points(reversed(points))
        assert shown.live["loss"][1].tolist() == [2.0]
        assert shown.train["loss"][1].tolist() == [1.0]
        assert shown.validation["loss"][0].tolist() == [1.0]

    def test_later_points_are_put_at_the_ends(self):
        points = [*points_of(6), Point(65, 6.5, "chunk", {"loss": 0.1, "precision": 0.5})]
        grown = LearningCurves.from_points(points[:2]).extended(points[2:5]).extended(()).extended(points[5:])
        at_once = LearningCurves.from_points(points)
        for kind in ("live", "train", "validation"):
            ours, theirs = getattr(grown, kind), getattr(at_once, kind)
            assert ours.keys() == theirs.keys()
            assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)

    def test_loss_comes_first(self):
        assert curves(accuracy=[0.1], loss=[1.0], val_loss=[2.0]).metrics == ("loss", "accuracy")

    def test_newest_value_may_stand_between_two_epochs(self):
        points = [Point(10, 1.0, "epoch", {"loss": 1.0}), Point(12, 1.2, "chunk", {"loss": 0.7})]
        assert LearningCurves.from_points(points).last("loss") == (0.7, None)

    def test_best_epoch_passes_over_what_is_not_finite(self):
        assert curves(loss=[3, 2, 1], val_loss=[float("nan"), 0.5, 0.7]).best_epoch == 2.0
        assert curves(loss=[1.0]).best_epoch is None

    def test_drawing_leaves_out_what_is_not_finite(self):
        data = curves(loss=[1.0, float("nan"), float("inf")]).plot().data
        assert data.column("value").to_pylist() == [1.0]

    def test_the_specification_never_changes(self):
        few, many = curves(loss=[1.0]), curves(loss=[3.0, 2.0], val_loss=[3.0, 1.0])
        assert json.dumps(few.plot().spec) == json.dumps(many.plot().spec)
        assert many.plot() is many.plot()

    def test_an_empty_chart_still_has_a_row(self):
        assert LearningCurves.from_points(()).plot("accuracy").data.num_rows == 1

    def test_many_points_are_thinned(self):
        shown = curves(loss=list(np.linspace(9, 1, 5_000)))
        assert shown.plot().data.num_rows == MAX_POINTS
        x, _ = thin(np.arange(5_000.0), np.arange(5_000.0))
        assert (x[0], x[-1]) == (0, 4_999)

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"loss": [4, 3, 2, 1, 0.5], "val_loss": [4, 2, 2.5, 3, 3.5]}, "over-fitting"),
            ({"loss": [1, 1, 1, 1, 1], "val_loss": [1, 1, 1, 1, 1]}, "hardly moves"),
            ({"loss": [2, float("nan")]}, "lower the learning rate"),
            ({"loss": [4, 3, 2, 1], "val_loss": [4, 3, 2, 1]}, "Loss 1 in training, 1 in validation."),
        ],
    )
    def test_says_what_it_shows(self, values, says):
        assert says in curves(**values).summary()

    def test_shares_are_percentages(self):
        shown = LearningCurves.from_points(points_of(4))
        assert shown.summary("accuracy") == "Accuracy 87.5% in training, 85.0% in validation."


class TestDecisionSurface:
    x = np.array([[-0.5, 0.0], [0.5, 0.0], [0.9, 0.9]], np.float32)
    names = ("left", "right")
    worker = surface()

    def shown(self, y=(0, 1, 0), live=worker):
        return DecisionSurface.from_examples(self.x, np.array(y), np.array([False, True, False]), self.names, live)

    def test_what_a_worker_wrote_is_read(self):
        shown = self.shown()
        assert shown.probabilities.shape == (20, 20, 2)
        assert np.allclose(shown.probabilities.sum(axis=2), 1)
        assert shown.extent == (-1, 1, -1, 1)

    def test_colours_are_those_of_the_classes(self):
        left, right = self.shown().picture[0, 0], self.shown().picture[0, -1]
        assert (left[:3] == palette.class_rgb(2)[0]).all()
        assert (right[:3] == palette.class_rgb(2)[1]).all()
        assert self.shown().picture[0, 10, 3] < left[3]  # undecided is fainter

    def test_agreement_counts_examples_on_their_colour(self):
        assert self.shown().agreement == pytest.approx(2 / 3)
        assert "67%" in self.shown().summary()

    def test_without_a_network_there_are_only_examples(self):
        shown = self.shown(live=None)
        assert shown.agreement is None
        assert shown.picture.size == 0
        assert shown.extent[0] < -0.5

    def test_not_a_number_counts_as_undecided(self):
        scores = np.full((2, 2, 1), np.nan)
        live = struct.pack("<3H4f", 2, 2, 1, -1, 1, -1, 1) + scores.astype("<f2").tobytes()
        assert (self.shown(live=live).probabilities == 0.5).all()

    def test_packed_bytes_hold_header_picture_and_dots(self):
        packed = self.shown().packed
        (length,) = struct.unpack_from("<I", packed)
        header = json.loads(packed[4 : 4 + length])
        assert (header["rows"], header["columns"], header["dots"]) == (20, 20, 3)
        assert len(packed) == 4 + length + 20 * 20 * 4 + 3 * 6
        last = struct.unpack_from("<2H2B", packed, len(packed) - 6)
        assert last == (round(0.95 * 65535), round(0.95 * 65535), 0, 0)

    def test_more_classes(self):
        scores = np.zeros((4, 4, 3), "<f2")
        scores[..., 2] = 1
        live = struct.pack("<3H4f", 4, 4, 3, -1, 1, -1, 1) + scores.tobytes()
        assert (self.shown(live=live).picture[..., :3] == palette.class_rgb(3)[2]).all()


class TestPreviews:
    images = ImageGrid(np.zeros((6, 4, 4, 1), np.uint8), np.array([0, 0, 1, 1, 2, 2]), ("a", "b", "c"), columns=2)
    table = TablePreview(
        np.array([[0, 5.0, 1], [0, 6, 2], [9, 5, 1], [9, 6, 2]]),
        np.array([0, 0, 1, 1]),
        ("u", "v", "w"),
        ("n", "p"),
        "c",
    )

    def test_image_sheet_is_a_png(self):
        assert self.images.plot().startswith(b"\x89PNG")
        assert "3 classes of 4 × 4 pixels: a, b, c." in self.images.summary()

    def test_the_column_that_separates_the_classes_is_found(self):
        assert self.table.strengths.argmax() == 0
        assert self.table.summary().startswith("Of 3 columns, u and")
        assert self.table.plot().data.column("x").to_pylist() == [0, 0, 9, 9]

    def test_a_regression_shows_its_best_column_against_the_target(self):
        x = np.array([[1.0, 3], [2, 1], [3, 2], [4, 2.5]])
        shown = TablePreview(x, 2 * x[:, 0], ("bmi", "age"), (), "progression")
        assert shown.plot().data.column("y").to_pylist() == [2, 4, 6, 8]
        assert "bmi tells most about progression" in shown.summary()

    def test_thumbnails_are_svg(self):
        for shown in (Thumbnail.from_table(self.table, "a <b>"), Thumbnail.from_images(self.images, "i")):
            assert shown.svg().startswith("<svg xmlns=")
        assert "a &lt;b&gt;" in Thumbnail.from_table(self.table, "a <b>").svg()

    def test_a_thumbnail_marks_every_point_in_the_color_of_its_class(self):
        x, y = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), np.array([0, 1, 1, 1])
        paths = ElementTree.fromstring(Thumbnail.from_points(x, y, "corners").svg())
        assert [(path.get("stroke"), path.get("d").count("M")) for path in paths] == [
            (palette.class_color(0), 1), (palette.class_color(1), 3),
        ]  # fmt: skip
        assert paths[0].get("d") == "M62.0 124.0h0"  # the corner below on the left

    @pytest.mark.parametrize("kind", [kind.model_fields["kind"].default for kind in DATASETS])
    def test_every_data_set_has_its_picture(self, kind):
        assert picture(kind).startswith("<svg")

    @pytest.mark.parametrize("values", [(), [1.0], [float("nan")] * 3, np.linspace(1, 0, 500)])
    def test_sparklines_draw_anything(self, values):
        assert sparkline(values).count("<polyline") == 1


class TestJudgements:
    three = classify(np.array([0, 0, 1, 1, 2, 2]), np.eye(3)[[0, 0, 1, 2, 2, 2]] * 0.8 + 0.1, ("ant", "bee", "cow"))
    two = classify(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]), ("no", "yes"))

    def test_matrix_rows_are_true_classes(self):
        matrix = ConfusionMatrix.from_classification(self.three)
        assert matrix.counts[1].tolist() == [0, 1, 1]
        assert matrix.shares[1].tolist() == [0, 0.5, 0.5]
        assert matrix.summary() == "5 of 6 examples are on the diagonal. Most often bee is taken for cow (1 time)."

    def test_a_perfect_matrix_says_so(self):
        matrix = ConfusionMatrix(np.eye(2, dtype=int), ("a", "b"))
        assert "No class is taken for another." in matrix.summary()

    def test_matrix_table_has_a_row_a_cell(self):
        figure = ConfusionMatrix.from_classification(self.three).plot()
        assert figure.data.num_rows == 9
        assert figure.data.column("true").to_pylist()[:3] == ["ant"] * 3

    def test_roc_has_a_curve_a_class_and_two_averages(self):
        roc = RocCurves.from_classification(self.three)
        names = [trace.name for trace in roc.plot().data]
        assert len(names) == 1 + 2 + 3
        assert any(name.startswith("micro") for name in names)
        assert "the weakest is" in roc.summary()

    def test_threshold_is_marked_on_the_curve_of_two_classes(self):
        roc = RocCurves.from_classification(self.two)
        mark = roc.plot(0.5).data[-1]
        assert (mark.x[0], mark.y[0]) == (0.5, 0.5)
        assert roc.summary().startswith("AUC 0.7500 for yes")

    def test_a_class_without_examples_is_left_out(self):
        alone = classify(np.array([0, 0]), np.array([0.1, 0.2]), ("no", "yes"))
        roc = RocCurves.from_classification(alone)
        assert len(roc.plot(0.5).data) == 1
        assert "no example" in roc.summary()

    def test_predictions_and_residuals(self):
        y_true = np.array([1.0, 2, 3, 4])
        y_pred = np.array([2.0, 2.2, 2.8, 3.0])
        predicted, residuals = PredictedVsTrue(y_true, y_pred, "age"), Residuals(y_true - y_pred, y_pred, "age")
        assert "cautious" in predicted.summary()
        assert predicted.plot().data.num_rows == residuals.plot().data.num_rows == 4
        assert residuals.summary().startswith("On average 0 off")

    def test_constant_predictions_are_named(self):
        assert "the same age" in PredictedVsTrue(np.arange(3.0), np.ones(3), "age").summary()


def test_stack_picture_names_shapes():
    rows = (
        LayerRow("c", "Conv2D", (26, 26, 32), 320, 320, 1, 1),
        LayerRow("p", "MaxPooling2D", (13, 13, 32), 0, 0, 1, 1),
        LayerRow("f", "Flatten", (5408,), 0, 0, 1, 1),
        LayerRow("d", "Dense", (5408,), 9, 9, 1, 1),
        LayerRow("o", "Dense", (10,), 9, 9, 1, 1),
    )
    shown = StackPicture.from_description((28, 28, 1), Description(rows))
    assert shown.line() == "784 – 21,632 – 5,408 – 5,408 – 10"
    assert "Conv2D 26 × 26 × 32" in shown.summary()
    assert shown.html().count('class="block"') == 6
    assert "MaxPool" in shown.html()


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (words.count(101_770), "101,770"),
        (words.short_count(12_345), "12.3 k"),
        (words.short_count(999), "999"),
        (words.short_count(2_345_678), "2.35 M"),
        (words.score(0.97561, share=True), "97.6%"),
        (words.score(0.03456), "0.0346"),
        (words.score(None), "–"),
        (words.score(float("nan")), "not a number"),
        (words.plain("**ü** [x](y)"), r"\*\*ü\*\* \[x\]\(y\)"),
        (words.duration(1.24), "1.2 s"),
        (words.duration(83), "1:23"),
        (words.duration(3_723), "1:02:03"),
        (words.duration(None), "–"),
        (words.size(34_000_000), "34 MB"),
        (words.execution([(0, "plain"), (900, "xla")]), "plain from step 0, xla from step 900"),
        (
            words.execution([(0, "plain"), (80, "fused"), (90, "plain"), (99, "fused"), (2_000, "plain")]),
            "plain and fused in turn, plain from step 2,000",
        ),
        (words.ago(5), "just now"),
        (words.ago(7_300), "2 hours ago"),
        (words.shape((28, 28, 1)), "28 × 28 × 1"),
        (words.plural(1, "time"), "1 time"),
        (words.plural(1_234, "time"), "1,234 times"),
        (words.metric_name("val_top_3_accuracy"), "Validation top 3 accuracy"),
    ],
)
def test_numbers_for_people(said, wanted):
    assert said == wanted
