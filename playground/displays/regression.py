"""How far predicted numbers are from true ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette, words
from playground.displays.figure import Figure

MAX_DOTS = 2_000


@dataclass(frozen=True, eq=False)
class PredictedVsTrue:
    """Predictions against targets; perfect ones lie on the diagonal.

    Args:
        y_true: (n,) targets in their own unit.
        y_pred: (n,) predictions in the same unit.
        target_name: what is predicted.
    """

    y_true: NDArray[np.floating]
    y_pred: NDArray[np.floating]
    target_name: str

    def plot(self) -> Figure:
        """A scatter plot with the diagonal."""
        chosen = _chosen(len(self.y_true))
        data = pa.table({"true": self.y_true[chosen].astype(float), "predicted": self.y_pred[chosen].astype(float)})
        low = float(min(self.y_true.min(), self.y_pred.min()))
        high = float(max(self.y_true.max(), self.y_pred.max()))
        name = self.target_name
        scale = {"domain": [low, high], "zero": False, "nice": True}
        diagonal = [{"true": low, "predicted": low}, {"true": high, "predicted": high}]
        x = {"field": "true", "type": "quantitative", "title": f"True {name}", "scale": scale}
        y = {"field": "predicted", "type": "quantitative", "title": f"Predicted {name}", "scale": scale}
        spec = {
            "height": 380,
            "encoding": {"x": x, "y": y},
            "layer": [
                {"data": {"values": diagonal}, "mark": {"type": "line", "strokeDash": [2, 3], "color": palette.ZERO}},
                {"mark": {"type": "circle", "size": 36, "opacity": 0.65, "color": palette.POSITIVE},
                 "encoding": {"tooltip": _tooltip("true", "predicted")}},
            ],
        }  # fmt: skip
        return Figure("Predicted against true", spec, data, self.summary())

    def summary(self) -> str:
        """How closely they follow each other."""
        if len(self.y_true) < 2 or not np.std(self.y_true) or not np.std(self.y_pred):
            return f"The network gives the same {self.target_name} to every example."
        correlation = float(np.corrcoef(self.y_true, self.y_pred)[0, 1])
        slope = float(np.polyfit(self.y_true, self.y_pred, 1)[0])
        said = f"Correlation {correlation:.2f}."
        if slope < 0.75:
            said += " High values are predicted too low and low ones too high, as a cautious network does."
        return said


@dataclass(frozen=True, eq=False)
class Residuals:
    """What is left over: true minus predicted, against predicted.

    Args:
        residuals: (n,) true − predicted, in the unit of the target.
        y_pred: (n,) predictions.
        target_name: what is predicted.
    """

    residuals: NDArray[np.floating]
    y_pred: NDArray[np.floating]
    target_name: str

    def plot(self) -> Figure:
        """A scatter plot around zero: above it in blue what was predicted too low, below in orange too high."""
        chosen = _chosen(len(self.residuals))
        data = pa.table(
            {"predicted": self.y_pred[chosen].astype(float), "residual": self.residuals[chosen].astype(float)}
        )
        color = {"condition": {"test": "datum.residual < 0", "value": palette.NEGATIVE}, "value": palette.POSITIVE}
        x = {
            "field": "predicted",
            "type": "quantitative",
            "title": f"Predicted {self.target_name}",
            "scale": {"zero": False},
        }
        y = {"field": "residual", "type": "quantitative", "title": "True − predicted"}
        spec = {
            "height": 380,
            "layer": [
                {"data": {"values": [{"zero": 0}]},
                 "mark": {"type": "rule", "strokeDash": [2, 3], "color": palette.ZERO},
                 "encoding": {"y": {"field": "zero", "type": "quantitative", "title": "True − predicted"}}},
                {"mark": {"type": "circle", "size": 36, "opacity": 0.65},
                 "encoding": {"x": x, "y": y, "color": color, "tooltip": _tooltip("predicted", "residual")}},
            ],
        }  # fmt: skip
        return Figure("Residuals", spec, data, self.summary())

    def summary(self) -> str:
        """Their mean and spread."""
        mean, spread = float(self.residuals.mean()), float(self.residuals.std())
        return f"On average {words.score(mean)} off, with a standard deviation of {words.score(spread)}."


def _chosen(examples: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, examples - 1, min(examples, MAX_DOTS)).round().astype(np.intp))


def _tooltip(*fields: str) -> list[dict[str, Any]]:
    return [{"field": f, "type": "quantitative", "format": ".4g", "title": f.capitalize()} for f in fields]
