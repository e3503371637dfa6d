"""The decision surface of a network over the plane, with the examples on it."""

import json
import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from playground.displays import palette

MAX_DOTS = 600
"""More examples than this hide the surface."""


@dataclass(frozen=True, eq=False)
class DecisionSurface:
    """Scores on a grid over the plane.

    Args:
        scores: (rows, columns, classes) probabilities, row 0 at the lowest y; one class: the probability of class 1.
            Empty (0, 0, 1) before there is a network to ask.
        extent: left, right, bottom and top edge of the grid.
        x: (n, 2) examples, as the network sees them.
        y: (n,) their classes.
        held_out: (n,) whether training does not see the example.
        class_names: one a class.
    """

    scores: NDArray[np.floating]
    extent: tuple[float, float, float, float]
    x: NDArray[np.floating]
    y: NDArray[np.integer]
    held_out: NDArray[np.bool_]
    class_names: tuple[str, ...]

    @classmethod
    def from_examples(
        cls,
        x: NDArray[np.floating],
        y: NDArray[np.integer],
        held_out: NDArray[np.bool_],
        class_names: tuple[str, ...],
        live: bytes | None = None,
    ) -> "DecisionSurface":
        """The examples, on the surface that a run published where there is one.

        Args:
            live: what a worker writes: uint16 rows, columns, classes; float32 extent of 4; float16 scores; all
                little-endian.
        """
        x, y, held_out = x[:MAX_DOTS], y[:MAX_DOTS], held_out[:MAX_DOTS]
        if live is not None:
            shape = struct.unpack_from("<3H", live)
            left, right, bottom, top = struct.unpack_from("<4f", live, 6)
            scores = np.frombuffer(live, "<f2", offset=22).reshape(shape).astype(np.float32)
            return cls(scores, (left, right, bottom, top), x, y, held_out, class_names)
        low, high = (x.min(axis=0), x.max(axis=0)) if len(x) else (np.full(2, -1.0), np.full(2, 1.0))
        pad = 0.1 * np.maximum(high - low, 1e-6)
        extent = (low[0] - pad[0], high[0] + pad[0], low[1] - pad[1], high[1] + pad[1])
        return cls(np.empty((0, 0, 1), np.float32), extent, x, y, held_out, class_names)

    @cached_property
    def probabilities(self) -> NDArray[np.floating]:
        """(rows, columns, classes) with two columns for two classes; what is not finite counts as undecided."""
        scores = np.nan_to_num(self.scores, nan=0.5, posinf=1, neginf=0).clip(0, 1)
        return np.concatenate([1 - scores, scores], axis=2) if scores.shape[2] == 1 else scores

    @cached_property
    def picture(self) -> NDArray[np.uint8]:
        """(rows, columns, 4) RGBA: the colour of the likeliest class, the clearer the more certain."""
        probabilities = self.probabilities
        if not probabilities.size:
            return np.empty((0, 0, 4), np.uint8)
        classes = probabilities.shape[2]
        rgb = palette.class_rgb(classes)[probabilities.argmax(axis=2)]
        certainty = (probabilities.max(axis=2, keepdims=True) - 1 / classes) / (1 - 1 / classes)
        return np.concatenate([rgb, 25 + 150 * certainty.clip(0, 1)], axis=2).round().astype(np.uint8)

    @cached_property
    def packed(self) -> bytes:
        """The picture and the examples for the page's component: JSON header, RGBA picture, dots.

        uint32 length of the header; header; uint8 picture; per dot uint16 x, uint16 y (shares of the extent), uint8
        class, uint8 held out. One ``bytes`` because Streamlit would turn bytes inside a dict into text.
        """
        left, right, bottom, top = map(float, self.extent)
        inside = (self.x - [left, bottom]) / [max(right - left, 1e-9), max(top - bottom, 1e-9)]
        dots = np.zeros(len(self.x), [("x", "<u2"), ("y", "<u2"), ("class", "u1"), ("held_out", "u1")])
        dots["x"], dots["y"] = (inside.clip(0, 1) * 65_535).round().T
        dots["class"], dots["held_out"] = self.y, self.held_out
        rows, columns = self.picture.shape[:2]
        header = {
            "rows": rows,
            "columns": columns,
            "extent": [round(value, 4) for value in (left, right, bottom, top)],
            "dots": len(dots),
            "colors": [palette.class_color(k) for k in range(max(len(self.class_names), 1))],
            "names": list(self.class_names),
            "label": self.summary(),
        }
        text = json.dumps(header).encode()
        return struct.pack("<I", len(text)) + text + self.picture.tobytes() + dots.tobytes()

    @cached_property
    def agreement(self) -> float | None:
        """Share of the examples shown that lie where the network says their class; None without a surface."""
        rows, columns = self.probabilities.shape[:2]
        if not rows or not len(self.x):
            return None
        left, right, bottom, top = self.extent
        column = ((self.x[:, 0] - left) / (right - left) * columns).astype(int).clip(0, columns - 1)
        row = ((self.x[:, 1] - bottom) / (top - bottom) * rows).astype(int).clip(0, rows - 1)
        return float((self.probabilities.argmax(axis=2)[row, column] == self.y).mean())

    def summary(self) -> str:
        """What the picture shows now."""
        classes = " and ".join(self.class_names) if len(self.class_names) == 2 else f"{len(self.class_names)} classes"
        if self.agreement is None:
            return f"{len(self.x)} examples of {classes}."
        return f"{self.agreement:.0%} of the {len(self.x)} examples shown lie on the colour of their class."
