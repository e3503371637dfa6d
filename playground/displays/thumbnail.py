"""Small SVG pictures of data sets and curves, for cards and lists. They need no script and no request of their own."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from playground.displays import palette
from playground.displays.preview import ImageGrid, TablePreview

WIDTH, HEIGHT = 240, 132
MAX_DOTS = 260


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small picture. ``body`` is SVG for a canvas of 240×132."""

    body: str
    alt: str

    @classmethod
    def from_points(cls, x: NDArray[np.floating], y: NDArray[np.integer], alt: str) -> "Thumbnail":
        """Points in the plane, (n, 2), coloured by class (n,)."""
        return cls(_dots(x[:MAX_DOTS], y[:MAX_DOTS], square=True), alt)

    @classmethod
    def from_table(cls, table: TablePreview, alt: str) -> "Thumbnail":
        """The two columns that tell most; for a regression the best one against the target."""
        best = np.argsort(-table.strengths)
        if table.class_names:
            return cls(_dots(table.x[:MAX_DOTS][:, best[:2]], table.y[:MAX_DOTS]), alt)
        pairs = np.column_stack([table.x[:, best[0]], table.y])[:MAX_DOTS]
        return cls(_dots(pairs, np.ones(len(pairs), int)), alt)

    @classmethod
    def from_images(cls, grid: ImageGrid, alt: str) -> "Thumbnail":
        """A few pictures of every class: as many rows and columns as fit."""
        rows, columns = 4, 7
        chosen = [np.flatnonzero(grid.y == k) for k in range(len(grid.class_names))]
        order = [members[turn % len(members)] for turn in range(8) for members in chosen if len(members)]
        cells = order[: rows * columns]
        labels = np.arange(rows * columns) // columns
        sheet = ImageGrid(grid.x[cells], labels[: len(cells)], ("",) * rows, columns, side_by_side=1).plot()
        data = base64.b64encode(sheet).decode()
        width = HEIGHT * columns / rows
        return cls(
            f'<image href="data:image/png;base64,{data}" x="{(WIDTH - width) / 2:.0f}" y="0" width="{width:.0f}" '
            f'height="{HEIGHT}" style="image-rendering:pixelated"/>',
            alt,
        )

    def svg(self) -> str:
        """The whole picture."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f"aria-label={quoteattr(self.alt)}>{self.body}</svg>"
        )


def _dots(x: NDArray[Any], y: NDArray[np.integer], *, square: bool = False) -> str:
    """SVG marks: circles for even classes, squares for odd ones. ``square`` keeps both axes to the same scale."""
    low, high = x.min(axis=0), x.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    if square:
        span = np.full(2, span.max())
    room = np.array([HEIGHT - 16 if square else WIDTH - 24, HEIGHT - 16])
    place = (x - (low + high) / 2) / span * room * [1, -1] + [WIDTH / 2, HEIGHT / 2]
    # A path a class, of lines without length: a browser takes far longer for hundreds of shapes.
    paths = []
    for k in np.unique(y):
        cap, width = ("square", 4) if k % 2 else ("round", 4.6)
        lines = "".join(f"M{left:.1f} {top:.1f}h0" for left, top in place[y == k])
        paths.append(
            f'<path d="{lines}" stroke="{palette.class_color(int(k))}" stroke-width="{width}" stroke-linecap="{cap}"/>'
        )
    return "".join(paths)


def sparkline(values: Sequence[float] | NDArray[np.floating]) -> str:
    """A curve of (n,) values as an SVG of 120×28; a flat line where there is nothing to draw."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        known = np.zeros(2)
    chosen = known[np.unique(np.linspace(0, len(known) - 1, 60).round().astype(int))]
    low, span = chosen.min(), np.ptp(chosen) or 1.0
    places = zip(np.linspace(2, 118, len(chosen)), 25 - (chosen - low) / span * 22, strict=True)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 28" width="120" height="28">'
        f'<polyline points="{line}" fill="none" stroke="{palette.TRAINING}" stroke-width="2" '
        'stroke-linejoin="round"/></svg>'
    )
