"""The confusion matrix: which class was taken for which."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette, words
from playground.displays.figure import Figure
from playground.evaluation import Classification


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """Counts of true against predicted classes.

    Args:
        counts: (classes, classes), a row a true class.
        class_names: one a class.
    """

    counts: NDArray[np.integer]
    class_names: tuple[str, ...]

    @classmethod
    def from_classification(cls, result: Classification) -> "ConfusionMatrix":
        """The matrix of a judged run."""
        return cls(result.confusion, tuple(result.class_names))

    @property
    def shares(self) -> NDArray[np.floating]:
        """(classes, classes): each row divided by its sum; rows without examples are 0."""
        return self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)

    def plot(self) -> Figure:
        """A heat map: colour is the share of the true class, the number is the count."""
        names, k = self.class_names, len(self.class_names)
        data = pa.table(
            {
                "true": np.repeat(names, k).tolist(),
                "predicted": np.tile(names, k).tolist(),
                "count": self.counts.ravel().astype(np.int64),
                "share": self.shares.ravel(),
            }
        )
        x = {
            "field": "predicted",
            "type": "nominal",
            "sort": list(names),
            "title": "Predicted class",
            "axis": {"orient": "top", "labelAngle": 0 if max(map(len, names)) * k < 70 else -40},
        }
        y = {"field": "true", "type": "nominal", "sort": list(names), "title": "True class"}
        color = {
            "field": "share",
            "type": "quantitative",
            "title": "Share of true class",
            "scale": {"scheme": palette.SEQUENTIAL, "domain": [0, 1]},
            "legend": palette.COLOR_BAR | {"format": ".0%"},
        }
        tooltip = [
            {"field": "true", "title": "True class"},
            {"field": "predicted", "title": "Predicted class"},
            {"field": "count", "type": "quantitative", "title": "Examples", "format": ","},
            {"field": "share", "type": "quantitative", "title": "Share of true class", "format": ".1%"},
        ]
        ink = {"condition": {"test": "datum.share > 0.55", "value": "#10151c"}, "value": "#ffffff"}
        spec = {
            "height": max(330, min(46 * k + 90, 440)),
            "encoding": {"x": x, "y": y, "tooltip": tooltip},
            "layer": [
                {"mark": {"type": "rect"}, "encoding": {"color": color}},
                {"mark": {"type": "text", "fontSize": 12 if k <= 12 else 9},
                 "encoding": {"text": {"field": "count", "type": "quantitative", "format": ","}, "color": ink}},
            ],
        }  # fmt: skip
        return Figure("Confusion matrix", spec, data, self.summary())

    def summary(self) -> str:
        """The most frequent confusion."""
        total, right = int(self.counts.sum()), int(np.trace(self.counts))
        said = f"{right:,} of {total:,} examples are on the diagonal."
        wrong = self.counts - np.diag(np.diag(self.counts))
        if not wrong.any():
            return f"{said} No class is taken for another."
        true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
        confusion = f"{self.class_names[true]} is taken for {self.class_names[predicted]}"
        return f"{said} Most often {confusion} ({words.plural(wrong.max(), 'time')})."
