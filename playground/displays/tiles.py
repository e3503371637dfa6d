"""Arrays as sheets of small pictures: feature maps, kernels, vectors, and what lies on top of a picture."""

import base64
import functools
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from playground.displays import words

Scale = Literal["unit", "layer", "global"]
"""What the strongest colour stands for: the largest value of each tile, of the layer, of all layers."""

WIDTH = 440
"""Pixels of a sheet, about: twice what it has on the page, for screens with small pixels."""
TILE = 150
"""Largest side of a tile in pixels."""
CELL = 26
"""The same of a single number."""
STRIP = 12
"""Least height of a strip in pixels."""
ONE_LINE = 16
"""So many single numbers stand in one line."""
SEPARATE = 256
"""Of more single numbers than this one does not see the single one, so nothing separates them."""

DIVERGING = ("#8f4a00", "#dd7500", "#f0b679", "#eceef1", "#8fb9e6", "#2f7fd6", "#164f91")
"""From negative over 0 to positive."""
SEQUENTIAL = (
    "#00224e",
    "#123570",
    "#3b496c",
    "#575d6d",
    "#707173",
    "#8a8678",
    "#a59c74",
    "#c3b369",
    "#e1cc55",
    "#fee838",
)
"""Cividis, from 0 up."""
NOT_A_NUMBER = (138, 143, 152)
COLORS = 254
"""So many colours has a number. A picture of places in a palette is saved in a fifth of the time of one in RGBA."""
NOTHING = 255
"""The place in the palette that is transparent; between it and the colours stands what is no number."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """A sheet of an array, and the numbers that describe the whole array.

    Args:
        tiles: float32 (rows, columns, height, width): what is shown of it.
        shape: of the whole array.
        rows, columns: how many there are in all.
        step: every how many pixels one is shown.
        minimum, mean, std, maximum: of the whole array.
        zeros: share of it that is exactly 0, 0–1.
    """

    tiles: NDArray[np.floating]
    shape: tuple[int, ...]
    rows: int
    columns: int
    step: int
    minimum: float
    mean: float
    std: float
    maximum: float
    zeros: float

    @classmethod
    def from_answer(cls, found: Mapping[str, Any]) -> "Tiles":
        """The sheet of a picture that a probe answered with."""
        return cls(
            tiles=np.asarray(found["tiles"]),
            shape=tuple(found["shape"]),
            rows=found["rows"],
            columns=found["columns"],
            step=found["step"],
            minimum=found["min"],
            mean=found["mean"],
            std=found["std"],
            maximum=found["max"],
            zeros=found["zeros"],
        )

    @property
    def largest(self) -> float:
        """The largest magnitude of the whole array; 0 where it is not finite."""
        largest = max(abs(self.minimum), abs(self.maximum))
        return largest if math.isfinite(largest) else 0.0

    @property
    def is_signed(self) -> bool:
        """Whether it has negative values, and so two colours."""
        return self.minimum < 0

    @property
    def is_vector(self) -> bool:
        """Whether its tiles are single numbers. One by one they would all have the strongest colour."""
        return self.tiles.shape[0] == 1 and self.tiles.shape[2:] == (1, 1)

    def png(self, scale: Scale, largest: float) -> bytes:
        """The sheet as PNG, transparent between the tiles.

        Args:
            scale: what the strongest colour stands for.
            largest: of all layers, for the global scale.
        """
        signed = self.is_signed
        return sheet_png(places(self.tiles, self._limits(scale, largest), signed=signed), signed=signed)

    def limit(self, scale: Scale, largest: float) -> float | None:
        """What the strongest colour stands for; None: for each tile something else."""
        if scale == "global":
            return largest
        return None if scale == "unit" and not self.is_vector else self.largest

    def _limits(self, scale: Scale, largest: float) -> NDArray[np.floating]:
        """(rows, columns, 1, 1) or one for all."""
        limit = self.limit(scale, largest)
        if limit is not None:
            return np.full((1, 1, 1, 1), limit)
        return np.abs(np.nan_to_num(self.tiles, posinf=0, neginf=0)).max(axis=(2, 3), keepdims=True)

    def numbers(self) -> str:
        """Least, mean with deviation, largest, share of zeros."""
        spread = f"mean {signed(self.mean)} ± {signed(self.std)}"
        zeros = f"{words.score(self.zeros, share=True)} zeros"
        return f"{signed(self.minimum)} to {signed(self.maximum)} · {spread} · {zeros}"

    def left_out(self) -> str:
        """What of the array is not shown; empty where all is."""
        rows, columns = self.tiles.shape[:2]
        parts = []
        if columns < self.columns:
            parts.append(f"the first {columns:,} of {self.columns:,} units")
        if rows < self.rows:
            parts.append(f"the first {rows} of {self.rows:,} input channels")
        if self.step > 1:
            parts.append(f"every {self.step}{'nd' if self.step == 2 else 'rd' if self.step == 3 else 'th'} value")
        return f"Shown: {', '.join(parts)}." if parts else ""


def signed(value: float) -> str:
    """A number with a true minus sign."""
    return words.score(value).replace("-", "−")


def places(values: NDArray[np.floating], limits: NDArray[np.floating] | float, *, signed: bool) -> NDArray[np.uint8]:
    """Where the colours of values stand in the palette, uint8 of the same shape.

    Args:
        values: any shape.
        limits: what the strongest colour stands for; broadcast against the values.
        signed: orange below and blue above 0; else from dark 0 to bright.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(np.asarray(limits) > 0, values / limits, 0)
    finite = np.isfinite(values)
    share = np.where(finite, np.clip(share, -1, 1), 0)
    place = (share + 1) / 2 if signed else np.maximum(share, 0)
    return np.where(finite, np.round(place * (COLORS - 1)), COLORS).astype(np.uint8)


@functools.cache
def palette(*, signed: bool) -> NDArray[np.uint8]:
    """The colours, uint8 (256, 3): those of numbers, that of what is no number, and one that is not seen."""
    anchors = DIVERGING if signed else SEQUENTIAL
    rgb = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in anchors], float)
    at = np.linspace(0, len(anchors) - 1, COLORS)
    colors = np.stack([np.interp(at, np.arange(len(anchors)), rgb[:, k]) for k in range(3)], axis=1)
    return np.vstack([colors, NOT_A_NUMBER, (0, 0, 0)]).astype(np.uint8)


def gradient_css(*, signed: bool) -> str:
    """The same colours as a CSS background, for a legend."""
    return f"linear-gradient(90deg,{','.join(DIVERGING if signed else SEQUENTIAL)})"


def sheet_png(indices: NDArray[np.uint8], *, signed: bool) -> bytes:
    """Tiles beside each other as PNG, whole pixels, transparent between them.

    Args:
        indices: places in the palette, uint8 (rows, columns, height, width). A single row is wrapped to a sheet about
            twice as wide as high.
        signed: of which palette.
    """
    rows, columns, height, width = indices.shape
    is_cell = height == width == 1
    across = columns
    if rows == 1 and not (is_cell and columns <= ONE_LINE):
        across = min(columns, max(1, round(math.sqrt(2 * columns * height / width))))
    lines = rows * -(-columns // across)
    wide = max(1, min(WIDTH // (across * width), (CELL if is_cell else TILE) // max(height, width)))
    high = max(wide, STRIP) if height == 1 < width else wide
    # Large pixels need a wide gap, or the border of a kernel looks like that of a pixel.
    gap = 0 if rows == columns == 1 or (is_cell and columns > SEPARATE) else 2 if is_cell else max(2, wide // 3)
    room = np.full((lines * across, height * high + gap, width * wide + gap), NOTHING, np.uint8)
    tiles = indices.reshape(rows * columns, height, width).repeat(high, axis=1).repeat(wide, axis=2)
    room[: rows * columns, : height * high, : width * wide] = tiles
    grid = room.reshape(lines, across, *room.shape[1:]).swapaxes(1, 2)
    sheet = grid.reshape(lines * room.shape[1], across * room.shape[2])
    image = Image.fromarray(sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap])
    image.putpalette(palette(signed=signed).tobytes())
    return _png(image, transparency=NOTHING)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 (height, width[, 3]) as PNG."""
    return _png(Image.fromarray(pixels))


def _png(image: Image.Image, **options: int) -> bytes:
    buffer = io.BytesIO()
    # Pictures of a layer are drawn anew with every input: a fifth more bytes cost less than the time to save them.
    image.save(buffer, "PNG", compress_level=3, **options)
    return buffer.getvalue()


def image_html(data: bytes, alt: str) -> str:
    """A PNG inside HTML."""
    return f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}" alt={quoteattr(alt)}>'


def legend_html(limit: float | None, *, signed_values: bool) -> str:
    """The colours with the numbers at their ends.

    Args:
        limit: what the strongest colour stands for; None: the largest magnitude of each tile.
        signed_values: whether there are negative ones.
    """
    high = "largest of each" if limit is None else signed(limit)
    low = "0" if not signed_values else "−" if limit is None else signed(-limit)
    return (
        f'<div class="legend"><span>{low}</span><i style="background:{gradient_css(signed=signed_values)}"></i>'
        f"<span>{high}</span></div>"
    )
