"""What fine-tuning did: scores before and after, the way there against new weights, and which layers moved."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from playground.displays import palette, words
from playground.displays.curves import LearningCurves, thin
from playground.displays.figure import Figure

WHO = ("before", "fine-tuned", "from scratch")
COLORS = (palette.ZERO, palette.TRAINING, palette.VALIDATION)
SHAPES = ("circle", "diamond", "square")
PADDING = {"left": 0, "right": 5, "top": 0, "bottom": 0}
ROW = 58
"""Height of a task's row in pixels."""


@dataclass(frozen=True)
class BeforeAfter:
    """Scores of the same test examples before and after, a row per task.

    Args:
        metric: which score, by Keras's name.
        scores: by task ("New task", "Old task") and by who was judged (see ``WHO``): a value per seed.
    """

    metric: str
    scores: Mapping[str, Mapping[str, Sequence[float]]]

    def plot(self) -> Figure:
        """A mark per seed, a line from before to after."""
        rows = [
            {"task": task, "who": who, "value": value}
            for task, by_who in self.scores.items()
            for who, values in by_who.items()
            for value in values
            if math.isfinite(value)
        ]
        names = ("task", "who", "value")
        data = pa.table({name: [row[name] for row in rows] for name in names})
        return Figure("New task and old task", self._spec(), data, self.summary())

    def summary(self) -> str:
        """From where to where each task's score went."""
        return " ".join(f"{task}: {', '.join(self._parts(by_who))}." for task, by_who in self.scores.items())

    def _parts(self, by_who: Mapping[str, Sequence[float]]) -> list[str]:
        share = self.metric in words.SHARES
        return [f"{words.score(float(np.mean(by_who[who])), share=share)} {who}" for who in WHO if by_who.get(who)]

    def _spec(self) -> dict[str, Any]:
        share = self.metric in words.SHARES
        name = f"Test {words.metric_name(self.metric).lower()}"
        scale = {"domain": [0, 1]} if share else {"zero": True, "nice": True}
        x = {"field": "value", "type": "quantitative", "title": name, "scale": scale,
             "axis": {"format": ".0%" if share else "~g"}}  # fmt: skip
        y = {
            "field": "task",
            "type": "nominal",
            "title": None,
            "sort": list(self.scores),
            "axis": {"labelFontSize": 12},
        }
        legend = {"title": None, "orient": "top", "symbolSize": 90}
        common = {"field": "who", "type": "nominal", "legend": legend}
        marks = {
            "color": {**common, "scale": {"domain": WHO, "range": COLORS}},
            "shape": {**common, "scale": {"domain": WHO, "range": SHAPES}},
            "tooltip": [
                {"field": "task", "title": "Task"},
                {"field": "who", "title": "Which"},
                {"field": "value", "type": "quantitative", "title": name, "format": ".2%" if share else ".4g"},
            ],
        }
        ends = [
            {"aggregate": [{"op": "mean", "field": "value", "as": "mean"}], "groupby": ["task", "who"]},
            {"pivot": "who", "value": "mean", "groupby": ["task"]},
        ]
        line = {"x": {**x, "field": "before"}, "x2": {"field": "fine-tuned"}, "y": y}
        rule = {"type": "rule", "strokeWidth": 3, "opacity": 0.45, "color": palette.TRAINING}
        return {
            "height": {"step": ROW},
            "padding": PADDING,
            "layer": [
                {"transform": ends, "mark": rule, "encoding": line},
                {"mark": {"type": "point", "filled": True, "size": 130, "opacity": 0.9},
                 "encoding": {"x": x, "y": y, **marks}},
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class TuningCurves:
    """Validation scores of the fine-tuned runs and of their controls over the same epochs.

    Args:
        metric: which score, by Keras's name.
        tuned: a run per seed.
        scratch: the same trained from new weights, a run per seed; empty without a control.
    """

    metric: str
    tuned: Sequence[LearningCurves]
    scratch: Sequence[LearningCurves]

    def plot(self) -> Figure:
        """A line per run: fine-tuned solid, from scratch dashed."""
        columns: dict[str, list[Any]] = {"epoch": [], "value": [], "who": [], "run": []}
        for who, runs in (("fine-tuned", self.tuned), ("from scratch", self.scratch)):
            for number, run in enumerate(runs, 1):
                epochs, values = run.validation.get(self.metric, (np.empty(0), np.empty(0)))
                # A run that goes on counts on from its base; here every run begins at its own first epoch.
                for epoch, value in zip(*thin(np.arange(1, len(epochs) + 1.0), values), strict=True):
                    if np.isfinite(value):
                        row = (float(epoch), float(value), who, f"{who} {number}")
                        for name, cell in zip(columns, row, strict=True):
                            columns[name].append(cell)
        name = words.metric_name(f"val_{self.metric}")
        return Figure(f"{name} at the same budget", self._spec(name), pa.table(columns), self.summary())

    def summary(self) -> str:
        """Where each stood after its first and its last epoch, averaged over the seeds."""
        share = self.metric in words.SHARES
        said = []
        for who, runs in (("Fine-tuned", self.tuned), ("From scratch", self.scratch)):
            values = [run.validation[self.metric][1] for run in runs if self.metric in run.validation]
            if values:
                first, last = (float(np.mean([series[at] for series in values])) for at in (0, -1))
                said.append(f"{who}: {words.score(first, share=share)} after the first epoch, "
                            f"{words.score(last, share=share)} after the last.")  # fmt: skip
        return " ".join(said) or "The curves appear with the first validation scores."

    def _spec(self, name: str) -> dict[str, Any]:
        share = self.metric in words.SHARES
        domain = ["fine-tuned", "from scratch"]
        legend = {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3}
        common = {"field": "who", "type": "nominal", "legend": legend}
        tooltip = [
            {"field": "run", "title": "Run"},
            {"field": "epoch", "type": "quantitative", "title": "Epoch"},
            {"field": "value", "type": "quantitative", "title": name, "format": ".2%" if share else ".4g"},
        ]
        return {
            "height": 280,
            "padding": PADDING,
            "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 16}},
            "encoding": {
                "x": {"field": "epoch", "type": "quantitative", "title": "Epoch of this training",
                      "axis": {"tickMinStep": 1}, "scale": {"zero": False}},
                "y": {"field": "value", "type": "quantitative", "title": name, "scale": {"zero": False},
                      "axis": {"format": ".0%" if share else "~g", "tickCount": 5}},
                "color": {**common, "scale": {"domain": domain, "range": COLORS[1:]}},
                "strokeDash": {**common, "scale": {"domain": domain, "range": [[1, 0], [6, 4]]}},
                "detail": {"field": "run"},
                "tooltip": tooltip,
            },
        }  # fmt: skip


@dataclass(frozen=True)
class WeightChanges:
    """How far each layer's weights moved.

    Args:
        layers: ids of the layers with weights, from input to output.
        relative: ‖after − before‖ / ‖before‖ of each, over all its weights; 0 where it was frozen, NaN where it
            began at zero.
    """

    layers: Sequence[str]
    relative: Sequence[float]

    def plot(self) -> Figure:
        """A bar per layer."""
        data = pa.table({"layer": list(self.layers), "change": [float(change) for change in self.relative]})
        title = "‖after − before‖ / ‖before‖"
        x = {"field": "change", "type": "quantitative", "title": title, "axis": {"format": ".0%", "tickCount": 5}}
        y = {
            "field": "layer",
            "type": "nominal",
            "title": "Layer",
            "sort": list(self.layers),
            "axis": {"labelLimit": 190},
        }
        text = {"type": "text", "align": "left", "dx": 4, "color": palette.ZERO}
        label = {"condition": {"test": "datum.change == 0", "value": "unchanged"},
                 "field": "change", "type": "quantitative", "format": ".1%"}  # fmt: skip
        spec = {
            "height": {"step": 30},
            "padding": {**PADDING, "right": 40},
            "encoding": {"x": x, "y": y},
            "layer": [
                {"mark": {"type": "bar", "color": palette.TRAINING, "tooltip": True, "height": {"band": 0.65}}},
                {"mark": text, "encoding": {"text": label}},
            ],
        }
        return Figure("What changed in the weights", spec, data, self.summary())

    def summary(self) -> str:
        """Which layer moved most, and which stayed."""
        moved = {layer: change for layer, change in zip(self.layers, self.relative, strict=True) if change != 0}
        if not moved:
            return "No layer changed."
        finite = {layer: change for layer, change in moved.items() if math.isfinite(change)}
        said = ""
        if finite:
            most = max(finite, key=finite.__getitem__)
            said = f"{most} moved most, by {finite[most]:.1%} of its size."
        still = len(self.layers) - len(moved)
        return f"{said} {words.plural(still, 'layer')} stayed exactly as before.".strip() if still else said
