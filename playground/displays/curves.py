"""Learning curves: loss and scores over the epochs, for training and validation."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette, words
from playground.displays.figure import Figure
from playground.records import Point

MAX_POINTS = 300
"""More points a curve than this no screen shows; thinning keeps the first and the last."""

Series = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Epochs seen and values, both (n,)."""
Marks = tuple[tuple[float, str], ...]
"""Moments of a run that are marked on its curves: the epoch, and what begins there."""


@dataclass(frozen=True)
class LearningCurves:
    """The curves of one run.

    Args:
        live: training means of the moments since the last point, by metric name.
        train: training means of whole decisions (epochs), as Keras reports them, by metric name.
        validation: scores on the validation examples, by metric name without ``val_``.
    """

    live: dict[str, Series]
    train: dict[str, Series]
    validation: dict[str, Series]

    @classmethod
    def from_points(cls, points: Iterable[Point]) -> "LearningCurves":
        """The curves of the points that a run has reported."""
        live: dict[str, list[tuple[float, float]]] = {}
        train: dict[str, list[tuple[float, float]]] = {}
        validation: dict[str, list[tuple[float, float]]] = {}
        for point in sorted(points, key=lambda point: point.step):
            for name, value in point.values.items():
                ended = validation if name.startswith("val_") else train
                kind = live if point.kind == "chunk" else ended
                kind.setdefault(name.removeprefix("val_"), []).append((point.epoch, value))
        return cls(_arrays(live), _arrays(train), _arrays(validation))

    def extended(self, points: Iterable[Point]) -> "LearningCurves":
        """These curves with later points at their ends; a long run is not read again for a few of them."""
        new = self.from_points(points)
        return LearningCurves(
            _joined(self.live, new.live), _joined(self.train, new.train), _joined(self.validation, new.validation)
        )

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Every metric there is a curve of, loss first."""
        names = {**self.train, **self.live, **self.validation}
        return tuple(sorted(names, key=lambda name: (name != "loss", list(names).index(name))))

    @cached_property
    def is_empty(self) -> bool:
        """Nothing to draw yet."""
        return not self.metrics

    def last(self, metric: str) -> tuple[float | None, float | None]:
        """The newest training and validation value of a metric."""
        ended, moving = self.train.get(metric), self.live.get(metric)
        newest = max((s for s in (ended, moving) if s is not None), key=lambda s: s[0][-1], default=None)
        validation = self.validation.get(metric)
        return (None if newest is None else float(newest[1][-1])), (
            None if validation is None else float(validation[1][-1])
        )

    @cached_property
    def best_epoch(self) -> float | None:
        """Where the validation loss was lowest; None without finite validation losses."""
        epochs, values = self.validation.get("loss", _NOTHING)
        finite = np.isfinite(values)
        return float(epochs[finite][np.argmin(values[finite])]) if finite.any() else None

    def plot(self, metric: str = "loss", marks: Marks = ()) -> Figure:
        """Training solid (thin between two decisions), validation dashed, the best epoch and the ``marks`` marked."""
        if (metric, marks) not in self._figures:
            self._figures[metric, marks] = self._plot(metric, marks)
        return self._figures[metric, marks]

    @cached_property
    def _figures(self) -> dict[tuple[str, Marks], Figure]:
        """Drawn once for all who watch the run."""
        return {}

    def _plot(self, metric: str, marks: Marks) -> Figure:
        columns: list[tuple[str, Series]] = [
            ("between epochs", self.live.get(metric, _NOTHING)),
            ("training", self.train.get(metric, _NOTHING)),
            ("validation", self.validation.get(metric, _NOTHING)),
        ]
        best = self.best_epoch
        if best is not None and metric == "loss":
            at = self.validation["loss"][0] == best
            columns.append(("best epoch", (self.validation["loss"][0][at][:1], self.validation["loss"][1][at][:1])))
        epochs, values, series = [], [], []
        for name, (x, y) in columns:
            x, y = thin(x[np.isfinite(y)], y[np.isfinite(y)])
            epochs.append(x)
            values.append(y)
            series += [name] * len(x)
        if not series:  # one row without a value: Streamlit draws no axes over an empty table
            epochs, values, series = [np.array([np.nan])], [np.array([np.nan])], ["training"]
        data = pa.table(
            {
                "epoch": np.concatenate(epochs).astype(np.float32),
                "value": np.concatenate(values).astype(np.float32),
                "series": pa.array(series).dictionary_encode(),  # a third of the bytes, many times a second
            }
        )
        name = words.metric_name(metric)
        return Figure(f"{name} over the epochs", learning_curve_spec(metric, marks), data, self.summary(metric))

    def summary(self, metric: str = "loss") -> str:
        """What the curves show now, in one or two sentences."""
        if self.is_empty:
            return "The curve grows here while the network trains."
        share = metric in words.SHARES
        name = words.metric_name(metric)
        train, validation = self.last(metric)
        if train is not None and not np.isfinite(train):
            return f"{name} is no longer a finite number: lower the learning rate, or scale the data."
        said = f"{name} {words.score(train, share=share)} in training"
        if validation is not None:
            said += f", {words.score(validation, share=share)} in validation"
        remark = self._remark() if metric == "loss" else ""
        return f"{said}. {remark}".strip()

    def _remark(self) -> str:
        """Over-fitting, a plateau, or nothing worth saying."""
        (epochs, validation), (_, train) = self.validation.get("loss", _NOTHING), self.train.get("loss", _NOTHING)
        if len(validation) < 4 or len(train) != len(validation) or not np.isfinite(validation).all():
            return ""
        best = int(np.argmin(validation))
        since = len(validation) - 1 - best
        if since >= 3 and train[-1] < train[best] and validation[-1] > 1.02 * validation[best]:
            return (
                f"Validation loss has not fallen below {words.score(float(validation[best]))} (epoch "
                f"{epochs[best]:,.0f}) for {epochs[-1] - epochs[best]:,.0f} epochs while training loss falls: "
                "over-fitting."
            )
        recent = train[-4:]
        if np.ptp(recent) < 0.002 * abs(recent.mean()):
            return "Training loss hardly moves any more."
        return ""


_NOTHING: Series = (np.empty(0), np.empty(0))


def _arrays(series: dict[str, list[tuple[float, float]]]) -> dict[str, Series]:
    columns = {name: np.array(pairs, np.float64) for name, pairs in series.items()}
    return {name: (pairs[:, 0], pairs[:, 1]) for name, pairs in columns.items()}


def _joined(before: dict[str, Series], after: dict[str, Series]) -> dict[str, Series]:
    joined = dict(before)
    for name, (x, y) in after.items():
        old_x, old_y = before.get(name, _NOTHING)
        joined[name] = np.concatenate([old_x, x]), np.concatenate([old_y, y])
    return joined


def thin(
    x: NDArray[np.float64], y: NDArray[np.float64], limit: int = MAX_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most ``limit`` points of a curve, evenly chosen, the first and the last among them."""
    if len(x) <= limit:
        return x, y
    chosen = np.unique(np.linspace(0, len(x) - 1, limit).round().astype(int))
    return x[chosen], y[chosen]


def learning_curve_spec(metric: str, marks: Marks = ()) -> dict[str, Any]:
    """The Vega-Lite specification of one metric's curves, fixed for a run."""
    share = metric in words.SHARES
    name = words.metric_name(metric)
    tooltip = [
        {"field": "series", "title": "Curve"},
        {"field": "epoch", "type": "quantitative", "format": ".2f", "title": "Epoch"},
        {"field": "value", "type": "quantitative", "format": ".2%" if share else ".4g", "title": name},
    ]
    return {
        "height": 280,
        "padding": {"left": 0, "right": 5, "top": 0, "bottom": 0},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": "Epoch", "axis": {"tickMinStep": 1}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": name,
                "scale": {"zero": False},
                "axis": {"format": ".0%" if share else "~g", "tickCount": 5},
            },
        },
        "layer": [*_curve_layers(tooltip), *_mark_layers(marks)],
    }


def _curve_layers(tooltip: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Thin between epochs, the two curves, their points while there are few, and the best epoch."""
    series = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": ["training", "validation"], "range": [palette.TRAINING, palette.VALIDATION]},
        "legend": {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3},
    }
    dash = {**series, "scale": {"domain": ["training", "validation"], "range": [[1, 0], [6, 4]]}}
    dots = {"condition": {"test": "datum.points < 100", "value": 0.9}, "value": 0}
    # Shift with the wheel zooms, so that scrolling the page over a chart still scrolls the page.
    zoom = {
        "name": "zoom",
        "select": {"type": "interval", "encodings": ["x", "y"], "zoom": "wheel![event.shiftKey]"},
        "bind": "scales",
    }
    return [
        {
            "params": [zoom],  # one layer holds it for all of them
            "transform": [{"filter": "datum.series == 'between epochs'"}],
            "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.5, "color": palette.TRAINING},
        },
        {
            "transform": [{"filter": "datum.series == 'training' || datum.series == 'validation'"}],
            "mark": {"type": "line", "strokeWidth": 2.2},
            "encoding": {"color": series, "strokeDash": dash},
        },
        {  # A line needs two points, so the first one shows as a dot; many would hide the line.
            "transform": [
                {"filter": "datum.series != 'best epoch'"},
                {"joinaggregate": [{"op": "count", "as": "points"}]},
            ],
            "mark": {"type": "circle", "size": 14},
            "encoding": {"color": series, "tooltip": tooltip, "opacity": dots},
        },
        {
            "transform": [{"filter": "datum.series == 'best epoch'"}],
            "mark": {"type": "point", "shape": "diamond", "size": 90, "filled": False, "strokeWidth": 2,
                     "color": palette.VALIDATION},
            "encoding": {"tooltip": tooltip},
        },
    ]  # fmt: skip


def _mark_layers(marks: Marks) -> list[dict[str, Any]]:
    """A vertical rule with its label at each mark; no layer without marks."""
    if not marks:
        return []
    data = {"values": [{"epoch": epoch, "label": label} for epoch, label in marks]}
    rule = {"type": "rule", "color": palette.ZERO, "strokeDash": [2, 3]}
    text = {"type": "text", "color": palette.ZERO, "align": "left", "baseline": "top", "dx": 4, "fontSize": 11}
    return [
        {"data": data, "mark": rule, "encoding": {"y": {"value": 0}, "y2": {"value": "height"}}},
        {"data": data, "mark": text, "encoding": {"y": {"value": 0}, "text": {"field": "label"}}},
    ]
