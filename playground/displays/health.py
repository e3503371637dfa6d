"""How a network fared while it trained: size of its steps, its gradients, and their distributions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette
from playground.displays.figure import Figure
from playground.evaluation.health import HISTOGRAMS, Health
from playground.evaluation.histogram import BINS
from playground.evaluation.verdicts import HEALTHY_RATIO, RATIO_TOO_HIGH, RATIO_TOO_LOW

BAND = {"ratio": (RATIO_TOO_LOW, RATIO_TOO_HIGH, HEALTHY_RATIO)}
CELLS = 48
"""Rows of a map of histograms."""
DASHES = ([1, 0], [5, 3], [2, 2])
"""A line for each round through the colours."""


@dataclass(frozen=True, eq=False)
class HealthCurves:
    """Curves of one run, a line a layer: each layer is known by its kernel.

    Args:
        health: the series.
    """

    health: Health

    def ratios(self) -> Figure:
        """log10 of update to weights, with the band in which it is healthy."""
        values = self._of_kernels("ratio")
        spec = _lines(self._layers, "log₁₀(|update| / |weight|)", "linear", BAND["ratio"])
        return Figure("Size of a step", spec, self._table(values), self._ratio_summary(values))

    def gradients(self) -> Figure:
        """L2 norms of the gradients by the kernels, on a log scale."""
        values = self._of_kernels("gradient")
        values = np.where(values > 0, values, np.nan)
        spec = _lines(self._layers, "‖∂L/∂w‖₂", "log", None)
        return Figure("Gradient of each layer", spec, self._table(values), self._gradient_summary(values))

    @property
    def _layers(self) -> list[str]:
        names = self.health.names
        return [names.layer_of(index) for index in names.kernels]

    def _of_kernels(self, column: str) -> NDArray[np.float64]:
        """(m, kernels), NaN where a value is not finite."""
        values = self.health.of_variables(column)[:, list(self.health.names.kernels)].astype(np.float64)
        return np.where(np.isfinite(values), values, np.nan)

    def _table(self, values: NDArray[np.float64]) -> pa.Table:
        moments, layers = values.shape
        if not moments * layers:  # one row without a value: Streamlit draws no axes over an empty table
            return pa.table({"epoch": [np.nan], "value": [np.nan], "layer": [""]})
        return pa.table(
            {
                "epoch": np.repeat(self.health.epoch, layers).astype(np.float32),
                "value": values.ravel().astype(np.float32),
                "layer": pa.array(self._layers * moments).dictionary_encode(),
            }
        )

    def _ratio_summary(self, values: NDArray[np.float64]) -> str:
        newest = {name: v for name, v in zip(self._layers, _newest(values), strict=True) if np.isfinite(v)}
        if not newest:
            return "A line a layer grows here while the network trains."
        outside = [name for name, v in newest.items() if not RATIO_TOO_LOW <= v <= RATIO_TOO_HIGH]
        low, high = min(newest.values()), max(newest.values())
        place = f"outside it now: {', '.join(outside)}" if outside else "all layers are inside it now"
        return (
            f"Now {_signed(low)} to {_signed(high)}; −3 means that a step changes the weights by a thousandth. "
            f"The band from {_signed(RATIO_TOO_LOW)} to {_signed(RATIO_TOO_HIGH)} is healthy: {place}."
        )

    def _gradient_summary(self, values: NDArray[np.float64]) -> str:
        newest = {name: v for name, v in zip(self._layers, _newest(values), strict=True) if np.isfinite(v)}
        if not newest:
            return "A line a layer grows here while the network trains. Layers without a gradient have none."
        small, large = min(newest, key=newest.__getitem__), max(newest, key=newest.__getitem__)
        return f"Now smallest at {small} ({newest[small]:.1e}) and largest at {large} ({newest[large]:.1e})."


def _signed(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _newest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[-1] if len(values) else np.full(values.shape[1], np.nan)


def _lines(layers: Sequence[str], title: str, scale: str, band: tuple[float, float, float] | None) -> dict[str, Any]:
    """The fixed specification of curves over the epochs, a colour a layer."""
    rounds = [DASHES[index // len(palette.CLASSES) % len(DASHES)] for index in range(len(layers))]
    legend = {"title": None, "orient": "top", "columns": 6, "symbolType": "stroke", "symbolStrokeWidth": 3}
    colors = [palette.class_color(index) for index in range(len(layers))]
    color = {"field": "layer", "type": "nominal", "scale": {"domain": list(layers), "range": colors}, "legend": legend}
    dash = {**color, "scale": {"domain": list(layers), "range": rounds}}
    tooltip = [
        {"field": "layer", "title": "Layer"},
        {"field": "epoch", "type": "quantitative", "format": ".2f", "title": "Epoch"},
        {"field": "value", "type": "quantitative", "format": ".3g", "title": title},
    ]
    y: dict[str, Any] = {
        "field": "value",
        "type": "quantitative",
        "title": title,
        "scale": {"type": scale, "zero": False},
    }
    if scale == "log":
        y["axis"] = {"format": ".0e", "tickCount": 5}
    x = {"field": "epoch", "type": "quantitative", "title": "Epoch", "axis": {"tickMinStep": 1}}
    layer: list[dict[str, Any]] = [
        {
            "mark": {"type": "line", "strokeWidth": 1.8, "point": {"size": 12}},
            "encoding": {"x": x, "y": y, "color": color, "strokeDash": dash, "tooltip": tooltip},
        }
    ]
    if band:
        low, high, middle = band
        green = "#149e77"
        layer = [
            {
                "data": {"values": [{"low": low, "high": high}]},
                "mark": {"type": "rect", "color": green, "opacity": 0.12},
                "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": [{"middle": middle}]},
                "mark": {"type": "rule", "color": green, "strokeDash": [4, 4]},
                "encoding": {"y": {"field": "middle", "type": "quantitative"}},
            },
            *layer,
        ]
    return {"height": 300, "padding": {"left": 0, "right": 5, "top": 0, "bottom": 0}, "layer": layer}


@dataclass(frozen=True, eq=False)
class HistogramMap:
    """The distribution of a variable's gradients, updates or weights over the epochs, as a map.

    Args:
        variable: as ``layer/variable``.
        kind: of ``HISTOGRAMS``.
        epoch: (h,).
        counts: (h, BINS).
        edges: (h, 2).
    """

    variable: str
    kind: str
    epoch: NDArray[np.floating]
    counts: NDArray[np.integer]
    edges: NDArray[np.floating]

    @classmethod
    def from_health(cls, health: Health, variable: str, kind: str) -> "HistogramMap":
        """One variable's out of a run's series."""
        at = health.names.variables.index(variable), HISTOGRAMS.index(kind)
        return cls(variable, kind, health.histogram_epoch, health.counts[:, *at], health.edges[:, *at])

    def plot(self) -> Figure:
        """A column a moment; colour is the share of values."""
        title = f"{self.kind.capitalize()}s of {self.variable}"
        x = {"field": "from", "type": "quantitative", "title": "Epoch", "scale": {"nice": False, "zero": False}}
        y = {"field": "low", "type": "quantitative", "title": _UNITS[self.kind], **self._scale}
        color = {
            "field": "share", "type": "quantitative", "title": "Share of values",
            "scale": {"scheme": palette.SEQUENTIAL, "type": "sqrt"},
            "legend": palette.COLOR_BAR | {"format": ".0%"},
        }  # fmt: skip
        tooltip = [
            {"field": "epoch", "type": "quantitative", "title": "Epoch", "format": ".2f"},
            {"field": "low", "type": "quantitative", "title": "From", "format": ".3g"},
            {"field": "high", "type": "quantitative", "title": "To", "format": ".3g"},
            {"field": "share", "type": "quantitative", "title": "Share of values", "format": ".1%"},
        ]
        encoding = {"x": x, "x2": {"field": "to"}, "y": y, "y2": {"field": "high"}, "color": color, "tooltip": tooltip}
        spec = {"height": 330, "mark": {"type": "rect", "clip": True}, "encoding": encoding}
        return Figure(title, spec, self._table(), self.summary())

    def _table(self) -> pa.Table:
        """A row a cell; all moments on the same grid, so that they can be compared."""
        grid = self._grid
        starts, ends = _columns(self.epoch)
        shares = np.array([_on_grid(c, e, grid) for c, e in zip(self.counts, self.edges, strict=True)])
        shares = shares.reshape(len(self.epoch), CELLS)
        filled = shares > 0
        rows, cells = np.nonzero(filled)
        return pa.table(
            {
                "epoch": self.epoch[rows].astype(np.float32), "from": starts[rows].astype(np.float32),
                "to": ends[rows].astype(np.float32), "low": grid[:-1][cells].astype(np.float32),
                "high": grid[1:][cells].astype(np.float32), "share": shares[filled].astype(np.float32),
            }
        )  # fmt: skip

    @property
    def _constant(self) -> float:
        """What is small, as a power of ten. Weights keep their size; gradients and updates shrink by orders."""
        reach = np.abs(self.edges).max(axis=1, initial=0)
        if self.kind == "weight" or not reach.any():
            return 0.0
        return float(10 ** np.floor(np.log10(reach[reach > 0].min()) - 1))

    @property
    def _grid(self) -> NDArray[np.float64]:
        """Edges of the cells (CELLS + 1,): even in value, or in sign(v) · log(1 + |v| / constant) (Vega's symlog)."""
        low, high = (float(self.edges.min()), float(self.edges.max())) if len(self.edges) else (-1.0, 1.0)
        if high <= low:
            low, high = low - 1e-6, low + 1e-6
        if not self._constant:
            return np.linspace(low, high, CELLS + 1)
        start, end = (np.sign(v) * np.log1p(abs(v) / self._constant) for v in (low, high))
        even = np.linspace(start, end, CELLS + 1)
        return np.sign(even) * np.expm1(np.abs(even)) * self._constant

    @property
    def _scale(self) -> dict[str, Any]:
        """The axis that belongs to the grid, in Vega-Lite's words."""
        scale: dict[str, Any] = {"nice": False, "zero": False}
        if not self._constant:
            return {"scale": scale, "axis": {"format": ".2~g"}}
        low, high = self._grid[[0, -1]]
        # The constant itself lies so near to 0 that their labels would be in each other's way.
        powers = self._constant * 10.0 ** np.arange(1, 12)
        powers = powers[powers <= max(-low, high)]
        powers = powers[:: -(-len(powers) // 3) or 1]
        ticks = [float(v) for v in (*-powers[::-1], 0, *powers) if low <= v <= high]
        scale |= {"type": "symlog", "constant": self._constant}
        return {"scale": scale, "axis": {"labelExpr": _LABEL, "values": ticks}}

    def summary(self) -> str:
        """First and newest spread in words."""
        if not len(self.epoch):
            return "Columns are added here while the network trains."
        first, last = (f"{low:.2g} to {high:.2g}" for low, high in self.edges[[0, -1]])
        return f"From {first} at epoch {self.epoch[0]:.1f} to {last} at epoch {self.epoch[-1]:.1f}."


_LABEL = "datum.value === 0 ? '0' : format(datum.value, '.0e')"
_UNITS = {"gradient": "∂L/∂w", "update": "Change of w in one step", "weight": "w"}


def _columns(epoch: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Left and right edges (h,) of columns that meet half way between the moments, from the first to the last."""
    if len(epoch) < 2:
        return epoch - 0.5, epoch + 0.5
    middle = (epoch[:-1] + epoch[1:]) / 2
    return np.append(epoch[0], middle), np.append(middle, epoch[-1])


def _on_grid(counts: NDArray[Any], edges: NDArray[Any], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """A histogram (BINS,) as shares on another grid (CELLS + 1,): what of each bin lies in each cell."""
    total = counts.sum()
    if not total or edges[1] <= edges[0]:
        return np.zeros(CELLS)
    known = np.linspace(edges[0], edges[1], BINS + 1)
    cumulative = np.append(0.0, np.cumsum(counts)) / total
    return np.diff(np.interp(grid, known, cumulative))
