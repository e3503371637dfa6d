"""How the units of a network behave over many examples: distributions, dead and saturated units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette, words
from playground.displays.figure import Figure

NAMED = 24
"""Units listed by number; of more only how many there are."""


@dataclass(frozen=True, eq=False)
class LayerUnits:
    """One layer over a batch of examples.

    Args:
        id, kind, activation: of the layer.
        units: how many it has.
        counts: (bins,) of its outputs.
        edges: (bins + 1,).
        mean, std, minimum, maximum: of its outputs.
        zeros: share that is exactly 0.
        dead, saturated: indices of units; None where the layer cannot have such.
    """

    id: str
    kind: str
    activation: str
    units: int
    counts: NDArray[np.integer]
    edges: NDArray[np.floating]
    mean: float
    std: float
    minimum: float
    maximum: float
    zeros: float
    dead: NDArray[np.integer] | None
    saturated: NDArray[np.integer] | None

    @property
    def shares(self) -> NDArray[np.floating]:
        """(bins,): each count divided by all."""
        return self.counts / max(1, self.counts.sum())

    def idle_count(self) -> str:
        """How many units are dead or saturated, in two words; "–" where the layer can have neither."""
        if self.dead is not None:
            return f"{len(self.dead):,} dead"
        return "–" if self.saturated is None else f"{len(self.saturated):,} saturated"

    def idle(self) -> str:
        """Dead and saturated units in words; empty where the layer can have neither."""
        if self.dead is not None:
            return _listed(self.dead, self.units, "dead", "0 for every example")
        if self.saturated is not None:
            return _listed(self.saturated, self.units, "saturated", f"at an end of {self.activation}")
        return ""


def _listed(idle: NDArray[np.integer], of: int, word: str, why: str) -> str:
    if not len(idle):
        return f"None of the {of:,} units is {word}."
    numbers = ", ".join(map(str, idle[:NAMED])) + (" …" if len(idle) > NAMED else "")
    return f"{len(idle):,} of {words.plural(of, 'unit')} {'is' if len(idle) == 1 else 'are'} {word} ({why}): {numbers}."


@dataclass(frozen=True, eq=False)
class UnitsOverExamples:
    """All layers over a batch of examples."""

    layers: tuple[LayerUnits, ...]
    examples: int

    @classmethod
    def from_answer(cls, found: Mapping[str, Any]) -> "UnitsOverExamples":
        """From the answer of the probe ``Units``."""
        return cls(
            tuple(
                LayerUnits(
                    id=row["id"],
                    kind=row["kind"],
                    activation=row["activation"],
                    units=row["units"],
                    counts=np.asarray(row["counts"]),
                    edges=np.asarray(row["edges"]),
                    mean=row["mean"],
                    std=row["std"],
                    minimum=row["min"],
                    maximum=row["max"],
                    zeros=row["zeros"],
                    dead=row["dead"],
                    saturated=row["saturated"],
                )
                for row in found["layers"]
            ),
            found["examples"],
        )

    def layer(self, name: str) -> LayerUnits:
        """The layer with this id."""
        return next(layer for layer in self.layers if layer.id == name)

    def summary(self) -> str:
        """How many units do not take part."""
        judged = [layer for layer in self.layers if layer.dead is not None or layer.saturated is not None]
        if not judged:
            return "No layer has an activation that can die or saturate."
        idle = [f"{layer.id}: {layer.idle()}" for layer in judged if _idle_units(layer)]
        return " ".join(idle) or f"No unit is dead or saturated over {self.examples:,} examples."


def _idle_units(layer: LayerUnits) -> int:
    return sum(0 if units is None else len(units) for units in (layer.dead, layer.saturated))


@dataclass(frozen=True, eq=False)
class Distribution:
    """The outputs of one layer at one or several epochs.

    Args:
        layers: the same layer at each epoch.
        epochs: ascending.
    """

    layers: Sequence[LayerUnits]
    epochs: Sequence[int]

    def plot(self) -> Figure:
        """The share of outputs in each bin: bars at one epoch, a strip of colour an epoch at several."""
        data = pa.table(
            {
                "epoch": np.repeat([str(epoch) for epoch in self.epochs], [len(layer.counts) for layer in self.layers]),
                "low": np.concatenate([layer.edges[:-1] for layer in self.layers]),
                "high": np.concatenate([layer.edges[1:] for layer in self.layers]),
                "share": np.concatenate([layer.shares for layer in self.layers]),
            }
        )
        spec = _bars() if len(self.layers) == 1 else _strips([str(epoch) for epoch in self.epochs])
        return Figure(f"Outputs of {self.layers[-1].id}", spec, data, self.summary())

    def summary(self) -> str:
        """Where they lie now, and how that has changed."""
        first, last = self.layers[0], self.layers[-1]
        said = (
            f"Outputs from {_number(last.minimum)} to {_number(last.maximum)}, mean {_number(last.mean)} ± "
            f"{words.score(last.std)}; {words.score(last.zeros, share=True)} are exactly 0."
        )
        if len(self.layers) > 1:
            said += f" At epoch {self.epochs[0]} the mean was {_number(first.mean)} ± {words.score(first.std)}."
        return " ".join(filter(None, (said, last.idle())))


def _number(value: float) -> str:
    return words.score(value).replace("-", "−")


_TOOLTIP = [
    {"field": "low", "type": "quantitative", "title": "From", "format": ".3g"},
    {"field": "high", "type": "quantitative", "title": "to", "format": ".3g"},
    {"field": "share", "type": "quantitative", "title": "Share of outputs", "format": ".2%"},
]


def _bars() -> dict[str, Any]:
    x = {"field": "low", "type": "quantitative", "title": "Output of a unit", "bin": {"binned": True}}
    # Most outputs of a relu are 0: on a square-root axis the others can be seen beside them.
    y = {
        "field": "share", "type": "quantitative", "title": "Share of outputs (square-root axis)",
        "axis": {"format": "%", "values": [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1]}, "scale": {"type": "sqrt"},
    }  # fmt: skip
    encoding = {"x": x, "x2": {"field": "high"}, "y": y, "tooltip": _TOOLTIP}
    return {"height": 260, "mark": {"type": "bar", "color": palette.TRAINING}, "encoding": encoding}


def _strips(epochs: list[str]) -> dict[str, Any]:
    color = {
        "field": "share", "type": "quantitative", "title": "Share of outputs",
        "scale": {"scheme": palette.SEQUENTIAL, "type": "sqrt"},
        "legend": palette.COLOR_BAR | {"format": "%"},
    }  # fmt: skip
    encoding = {
        "x": {"field": "epoch", "type": "ordinal", "title": "Epochs seen", "sort": epochs, "axis": {"labelAngle": 0}},
        "y": {"field": "low", "type": "quantitative", "title": "Output of a unit"},
        "y2": {"field": "high"},
        "color": color,
        "tooltip": [{"field": "epoch", "type": "ordinal", "title": "Epochs seen"}, *_TOOLTIP],
    }
    return {"height": 300, "mark": {"type": "rect"}, "encoding": encoding}
