"""Pictures of data sets: what the examples look like before anything is trained."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from playground.displays import palette
from playground.displays.figure import Figure

SHEET_WIDTH = 640
"""Pixels, about."""


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """Some pictures of each class, side by side.

    Args:
        x: uint8 (n, height, width, channels), 0 black to 255 white.
        y: (n,) classes.
        class_names: one a class.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.integer]
    class_names: tuple[str, ...]
    columns: int = 10
    """Pictures of a class."""
    side_by_side: int = 2
    """Classes in a row of the sheet."""

    def plot(self) -> bytes:
        """A PNG sheet, as dark ink on white paper: down the first column of classes, then down the next."""
        strips = [self._strip(self.x[self.y == k][: self.columns]) for k in range(len(self.class_names))]
        rows = -(-len(strips) // self.side_by_side)
        blank = np.full_like(strips[0], 255)
        strips += [blank] * (rows * self.side_by_side - len(strips))
        sheet = np.concatenate(
            [np.concatenate(strips[block * rows : (block + 1) * rows], axis=0) for block in range(self.side_by_side)],
            axis=1,
        )
        buffer = io.BytesIO()
        image = Image.fromarray(sheet)
        # Whole pixels, enlarged here: a browser would blur the small ones.
        scale = max(1, round(SHEET_WIDTH / image.width))
        image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST).save(buffer, "PNG")
        return buffer.getvalue()

    def _strip(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, columns * width[, 3]): the pictures side by side, with a pixel of white around each."""
        height, width, channels = self.x.shape[1:]
        paper = np.full((self.columns, height + 2, width + 2, channels), 255, np.uint8)
        inked = 255 - pictures if channels == 1 else pictures
        paper[: len(pictures), 1:-1, 1:-1] = inked
        strip = paper.transpose(1, 0, 2, 3).reshape(height + 2, -1, channels)
        return strip[..., 0] if channels == 1 else strip

    def summary(self) -> str:
        """What is seen."""
        height, width = self.x.shape[1:3]
        return f"{len(self.class_names)} classes of {height} × {width} pixels: {', '.join(self.class_names)}."


@dataclass(frozen=True, eq=False)
class TablePreview:
    """The columns of a table that tell its classes (or its target) apart best.

    Args:
        x: (n, features) in their own units.
        y: (n,) classes, or the number to predict.
        feature_names: one a column.
        class_names: one a class; empty for a regression.
        target_name: what y is.
    """

    x: NDArray[np.floating]
    y: NDArray[Any]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    target_name: str

    @property
    def strengths(self) -> NDArray[np.floating]:
        """(features,): share of each column's variance that the classes (or the target) explain, 0–1."""
        x = self.x - self.x.mean(axis=0)
        total = (x**2).sum(axis=0) + 1e-12
        if self.class_names:
            between = sum(
                (self.y == k).sum() * x[self.y == k].mean(axis=0) ** 2
                for k in range(len(self.class_names))
                if (self.y == k).any()
            )
            return between / total
        y = self.y - self.y.mean()
        return (x * y[:, None]).sum(axis=0) ** 2 / (total * (y**2).sum() + 1e-12)

    def plot(self) -> Figure:
        """A scatter plot of the two most telling columns; for a regression of the best one against the target."""
        best = np.argsort(-self.strengths)
        if self.class_names:
            first, second = best[0], best[min(1, len(best) - 1)]
            names = [self.class_names[k] for k in self.y]
            data = pa.table({"x": self.x[:, first], "y": self.x[:, second], "class": names})
            titles = self.feature_names[first], self.feature_names[second]
        else:
            first = best[0]
            data = pa.table({"x": self.x[:, first], "y": self.y.astype(float), "class": [""] * len(self.y)})
            titles = self.feature_names[first], self.target_name
        return Figure("The most telling columns", self._spec(*titles), data, self.summary())

    def _spec(self, x_title: str, y_title: str) -> dict[str, Any]:
        encoding: dict[str, Any] = {
            "x": {"field": "x", "type": "quantitative", "title": x_title, "scale": {"zero": False}},
            "y": {"field": "y", "type": "quantitative", "title": y_title, "scale": {"zero": False}},
            "tooltip": [
                {"field": "x", "type": "quantitative", "title": x_title, "format": ".4g"},
                {"field": "y", "type": "quantitative", "title": y_title, "format": ".4g"},
            ],
        }
        if self.class_names:
            domain = list(self.class_names)
            colors = [palette.class_color(k) for k in range(len(domain))]
            shapes = [palette.SHAPES[k % len(palette.SHAPES)] for k in range(len(domain))]
            legend = {"title": None, "orient": "top", "columns": 3}
            encoding["color"] = {"field": "class", "scale": {"domain": domain, "range": colors}, "legend": legend}
            encoding["shape"] = {"field": "class", "scale": {"domain": domain, "range": shapes}}
            encoding["tooltip"].append({"field": "class", "title": self.target_name})
        mark = {"type": "point", "filled": True, "size": 32, "opacity": 0.75, "color": palette.POSITIVE}
        return {"height": 240, "mark": mark, "encoding": encoding}

    def summary(self) -> str:
        """What is seen."""
        best = np.argsort(-self.strengths)[: 2 if self.class_names else 1]
        names = " and ".join(self.feature_names[k] for k in best)
        said = f"Of {len(self.feature_names)} columns, {names} tell{'s' * (len(best) == 1)} most about"
        return f"{said} {self.target_name}."
