"""The gradient of one moment on its way back through the layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette
from playground.displays.figure import Figure

WEIGHTS, OUTPUTS = "by its weights", "by its outputs"


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """L2 norms of the loss's gradient.

    Args:
        loss: of the examples.
        layers: from first to last, ``input`` before them.
        outputs: (layers,), gradient by what comes out of each.
        weights: (layers,), by all of its variables together; NaN for a layer without weights.
    """

    loss: float
    layers: tuple[str, ...]
    outputs: NDArray[np.floating]
    weights: NDArray[np.floating]

    @classmethod
    def from_answer(cls, found: Mapping[str, Any]) -> "GradientFlow":
        """From the answer of the probe ``Gradients``."""
        squares: dict[str, list[float]] = {}
        for variable, norm in zip(found["variables"], found["weights"], strict=True):
            squares.setdefault(variable.partition("/")[0], []).append(float(norm) ** 2)
        weights = [sum(squares[layer]) ** 0.5 if layer in squares else np.nan for layer in found["layers"]]
        return cls(
            loss=float(found["loss"]),
            layers=("input", *found["layers"]),
            outputs=np.array([found["input"], *found["outputs"]]),
            weights=np.array([np.nan, *weights]),
        )

    def plot(self) -> Figure:
        """A pair of bars a layer, on a log scale."""
        norms = np.stack([self.outputs, self.weights], axis=1)
        shown = np.isfinite(norms) & (norms > 0)
        low, high = (norms[shown].min() / 2, norms[shown].max() * 1.2) if shown.any() else (1e-3, 1.0)
        layers, kinds = np.repeat(self.layers, 2)[shown.ravel()], np.tile([OUTPUTS, WEIGHTS], len(self.layers))
        data = pa.table(
            {
                "layer": layers.tolist(),
                "gradient": kinds[shown.ravel()].tolist(),
                "norm": norms[shown],
                "low": np.full(int(shown.sum()), low),
            }
        )
        x = {"field": "norm", "type": "quantitative", "title": "L2 norm of the gradient of the loss",
             "scale": {"type": "log", "domain": [float(low), float(high)], "nice": False},
             "axis": {"format": ".0e", "tickCount": 6}}  # fmt: skip
        color = {
            "field": "gradient", "type": "nominal", "title": None, "legend": {"orient": "top"},
            "scale": {"domain": [OUTPUTS, WEIGHTS], "range": [palette.POSITIVE, palette.NEGATIVE]},
        }  # fmt: skip
        tooltip = [
            {"field": "layer", "title": "Layer"}, {"field": "gradient", "title": "Gradient"},
            {"field": "norm", "type": "quantitative", "format": ".3e", "title": "L2 norm"},
        ]  # fmt: skip
        encoding = {
            "y": {"field": "layer", "type": "nominal", "sort": list(self.layers), "title": None},
            "yOffset": {"field": "gradient", "sort": [OUTPUTS, WEIGHTS]},
            "x": x, "x2": {"field": "low"}, "color": color, "tooltip": tooltip,
        }  # fmt: skip
        spec = {"height": 120 + 32 * len(self.layers), "mark": {"type": "bar"}, "encoding": encoding}
        return Figure("Gradient on its way back", spec, data, self.summary())

    def summary(self) -> str:
        """How much arrives, and who has none."""
        said = f"The loss of these examples is {self.loss:.4g}."
        hidden = [(n, g) for n, g in zip(self.layers[1:], self.outputs[1:], strict=True) if np.isfinite(g)]
        if len(hidden) > 1 and hidden[-1][1] > 0:
            (first, arrived), (last, sent) = hidden[0], hidden[-1]
            said += f" Of the gradient at {last}, {arrived / sent:.3g} times as much arrives at {first}."
        without = [name for name, g in zip(self.layers[1:], self.weights[1:], strict=True) if np.isnan(g)]
        if without:
            said += f" Without weights, and so without a gradient by them: {', '.join(without)}."
        silent = [n for n, g in zip(self.layers, self.outputs, strict=True) if g == 0]
        return f"{said} No gradient at all reaches {', '.join(silent)}." if silent else said
