"""A row a layer: what comes out of it, the gradient there, its weights and their gradients (after ConvNetJS)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from playground.displays import words
from playground.displays.tiles import Scale, Tiles, image_html, legend_html

COLUMNS = ("output", "gradient", "weights", "weight_gradients")
"""What has a scale of its own."""


@dataclass(frozen=True, eq=False)
class Weight:
    """A variable of a layer; its gradient is None where nothing trains it."""

    name: str
    values: Tiles
    gradient: Tiles | None


@dataclass(frozen=True, eq=False)
class LayerRow:
    """What one layer makes of one input."""

    id: str
    kind: str
    output: Tiles
    gradient: Tiles | None
    by_logits: bool
    """The gradient is that of the values before the activation: those are what a cross-entropy reads."""
    weights: tuple[Weight, ...]

    @property
    def title(self) -> str:
        """Its kind, its name and the shape of what comes out of it."""
        name = "" if self.id == self.kind.lower() else f" {self.id}"
        return f"{self.kind}{name} · {words.shape(self.output.shape)}"


@dataclass(frozen=True, eq=False)
class LayerRows:
    """The whole network for one input.

    Args:
        rows: the input and every layer.
        of: whose derivatives the gradients are: "loss", or "score" of the predicted class.
        value: of the loss or score.
    """

    rows: tuple[LayerRow, ...]
    of: str
    value: float

    @classmethod
    def from_answer(cls, found: Mapping[str, Any]) -> "LayerRows":
        """From the answer of the probe ``Activations``."""
        rows = [
            LayerRow(
                id=row["id"],
                kind=row["kind"],
                output=Tiles.from_answer(row["output"]),
                gradient=_tiles(row["gradient"]),
                by_logits=row["by_logits"],
                weights=tuple(
                    Weight(weight["name"], Tiles.from_answer(weight["values"]), _tiles(weight["gradient"]))
                    for weight in row["weights"]
                ),
            )
            for row in found["layers"]
        ]
        return cls(tuple(rows), found["of"], found["value"])

    def largest(self, column: str) -> float:
        """The largest magnitude of a column over all layers, for the global scale."""
        return max((tiles.largest for row in self.rows for _, tiles in _cells(row)[column]), default=0.0)

    def html(self, row: LayerRow, scale: Scale) -> str:
        """Four columns side by side (class ``layer``)."""
        titles = {
            "output": "Activation",
            "gradient": f"Activation gradient, ∂{self.of}/∂activation",
            "weights": "Weights",
            "weight_gradients": f"Weight gradients, ∂{self.of}/∂weight",
        }
        cells = _cells(row)
        columns = "".join(
            f"<section><h6>{titles[column]}</h6>{self._column(row, column, cells[column], scale)}</section>"
            for column in COLUMNS
        )
        return f'<div class="layer">{columns}</div>'

    def _column(self, row: LayerRow, column: str, cells: list[tuple[str, Tiles]], scale: Scale) -> str:
        if not cells:
            return f"<p>{self._why_empty(row, column)}</p>"
        return "".join(_figure(row, name, tiles, scale, self.largest(column)) for name, tiles in cells)

    def _why_empty(self, row: LayerRow, column: str) -> str:
        if column == "gradient":
            return f"The {self.of} is taken before this layer's activation, so it has no gradient behind it."
        if not row.weights:
            return "The data itself." if row.kind == "Input" else "This layer has no weights."
        return f"The {self.of} reaches none of these weights."

    def summary(self) -> str:
        """Whose gradients they are."""
        what = (
            "the loss of this input"
            if self.of == "loss"
            else "the predicted class's score before the output's activation"
        )
        return f"Gradients are those of {what}, {words.score(self.value)}, with Dropout off."


def _tiles(found: Mapping[str, Any] | None) -> Tiles | None:
    return None if found is None else Tiles.from_answer(found)


def _cells(row: LayerRow) -> dict[str, list[tuple[str, Tiles]]]:
    """What stands in each column, with its name."""
    return {
        "output": [("", row.output)],
        "gradient": [("before the activation," if row.by_logits else "", row.gradient)] if row.gradient else [],
        "weights": [(weight.name, weight.values) for weight in row.weights],
        "weight_gradients": [(weight.name, weight.gradient) for weight in row.weights if weight.gradient],
    }


def _figure(row: LayerRow, name: str, tiles: Tiles, scale: Scale, largest: float) -> str:
    said = f"{name} {words.shape(tiles.shape)}" if name else ""
    alt = f"{row.title}, {name or 'values'}: {tiles.numbers()}"
    notes = " ".join(filter(None, (tiles.numbers() + ".", tiles.left_out())))
    return (
        f"<figure>{f'<b>{escape(said)}</b>' if said else ''}{image_html(tiles.png(scale, largest), alt)}"
        f"{legend_html(tiles.limit(scale, largest), signed_values=tiles.is_signed)}"
        f"<figcaption>{escape(notes)}</figcaption></figure>"
    )
