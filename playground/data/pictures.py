"""A drawn or uploaded picture as one example of a picture data set, prepared as that data set prepared its own.

A network knows its data set, not handwriting: a digit that is drawn larger, thinner or elsewhere than those it learned
from is told wrongly. So what a person gives is brought into the same form first.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from playground.data.scaling import WHITE
from playground.errors import SpecError
from playground.spec.data import Data, Digits, Mnist

MAX_BYTES = 10_000_000
MAX_PIXELS = 25_000_000
LARGEST_SIDE = 1_024
"""Larger pictures are reduced to it before anything else: no network here takes a larger one."""
PAD = 1_000
"""The drawing pad is a square of so many units; strokes are points in it, from the upper left corner."""
PEN = 76
"""Width of its pen in the same units: as thick, beside the size of a digit, as the strokes of MNIST."""
MAX_POINTS = 20_000
BLACK = 0.3
"""Share of black in the bitmaps of the 8×8 digits: their mean is 4.9 of 16."""
BILINEAR = Image.Resampling.BILINEAR

Grey = NDArray[np.uint8]
"""(height, width), 0 background to 255 ink."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
}


@dataclass(frozen=True, eq=False)
class Prepared:
    """One example."""

    x: NDArray[np.uint8]
    """(1, height, width, channels) in the data set's own units."""
    notes: tuple[str, ...] = ()
    """What was done to it that a person would not expect, a sentence each."""


def draw(strokes: Sequence[Sequence[Sequence[float]]]) -> Grey:
    """What was drawn on the pad: uint8 (280, 280), ink 255 on 0, smooth at the edges.

    Args:
        strokes: of each the points (x, y) that the pen went through, in units of :data:`PAD`.

    Raises:
        SpecError: no strokes of finite points, or more than :data:`MAX_POINTS` of them.
    """
    side = 560  # twice the size, then averaged: that makes the edges smooth
    paper = Image.new("L", (side, side))
    pen, scale = ImageDraw.Draw(paper), side / PAD
    radius = (PEN * scale - 1) / 2  # Pillow counts the pixels on the rim as well
    for points in _checked(strokes):
        path = [(float(x), float(y)) for x, y in points * scale]
        pen.line(path, fill=255, width=round(PEN * scale), joint="curve")
        for x, y in (path[0], path[-1]):  # round ends; a single point is a dot
            pen.circle((x, y), radius, fill=255)
    return np.asarray(paper.reduce(2))


def _checked(strokes: Any) -> list[NDArray[np.float64]]:
    """Strokes as arrays (points, 2) within the pad and a pen's width around it."""
    try:
        arrays = [np.array(points, np.float64).reshape(-1, 2) for points in strokes if len(points)]
    except (TypeError, ValueError):
        arrays = [np.full((1, 2), np.nan)]
    if sum(map(len, arrays)) > MAX_POINTS or not all(np.isfinite(points).all() for points in arrays):
        raise SpecError("This drawing cannot be read. Clear the pad and draw it again.", "drawing")
    return [points.clip(-PEN, PAD + PEN) for points in arrays]


def read(blob: bytes) -> NDArray[np.uint8]:
    """An uploaded picture: uint8 (height, width, 3), at most :data:`LARGEST_SIDE` a side; of an animation the first.

    What it is decides its content, not its name: PNG, JPEG, BMP, GIF or WebP. Transparent parts become paper, white
    or black, whichever shows the rest better.

    Raises:
        SpecError: too large, broken, or no such picture.
    """
    if len(blob) > MAX_BYTES:
        raise SpecError(f"The file has {len(blob) / 1e6:.0f} MB, 10 MB are the most. Upload a smaller one.", "picture")
    kind = "WEBP" if blob[:4] == b"RIFF" and blob[8:12] == b"WEBP" else ""
    kind = kind or next((kind for signature, kind in _SIGNATURES.items() if blob.startswith(signature)), "")
    if not kind:
        raise SpecError("The file is no picture that is known here. Upload a PNG, JPEG, BMP, GIF or WebP.", "picture")
    try:
        with Image.open(io.BytesIO(blob), formats=[kind]) as image:
            if image.width * image.height <= MAX_PIXELS:
                return _decoded(image)
        size = f"{image.width:,} × {image.height:,}"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        size = "far too many"
    except Exception as error:  # a broken file makes Pillow's readers stumble in a dozen ways
        raise SpecError("The picture is damaged. Save it again, or upload another one.", "picture") from error
    raise SpecError(f"The picture has {size} pixels, 25 million are the most. Upload a smaller one.", "picture")


def _decoded(image: Image.Image) -> NDArray[np.uint8]:
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))  # a JPEG is then decoded small at once
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits a pixel
        upright = Image.fromarray(_bytes(np.asarray(upright, np.float64) / 257))
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        seen = np.asarray(rgba)[np.asarray(rgba)[..., 3] > 127, :3]
        paper = "white" if not len(seen) or seen.mean() < 128 else "black"
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, paper), rgba)
    return np.asarray(upright.convert("RGB"))


def prepare(picture: NDArray[np.uint8], spec: Data, shape: tuple[int, ...]) -> Prepared:
    """A picture as one example of a data set.

    A picture of exactly the wanted size is taken as it is. Others are prepared: digits as :func:`like_mnist` and
    :func:`like_digits` say, all others by cutting out the middle and averaging. Where the data set is grey, which here
    means light on black, pictures on light paper are turned to their negative.

    Args:
        picture: uint8 (height, width), ink 255 on 0, or (height, width, 3) in colour.
        spec: the data set.
        shape: (height, width, channels) of its examples.

    Raises:
        SpecError: nothing is on it.
    """
    height, width, channels = shape
    notes = []
    if channels == 1:
        grey = picture if picture.ndim == 2 else np.asarray(Image.fromarray(picture).convert("L"))
        if _is_on_light_paper(grey):
            grey = 255 - grey
            notes.append("It is dark on light, so it was turned to its negative: the data set is light on black.")
        prepare_as = _PREPARATIONS.get(type(spec), _middle)
        found = grey if grey.shape == (height, width) else prepare_as(grey, (height, width))
    else:
        found = _middle(picture, (height, width))
    if picture.shape[:2] == (height, width):
        notes.append(f"It has {height} × {width} pixels already and was taken as it is.")
    white = WHITE.get(type(spec), 255.0)
    x = _bytes(found * (white / 255))
    return Prepared(x.reshape(1, height, width, channels), tuple(notes))


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = np.round(values).clip(0, 255).astype(np.uint8)
    return found


def _is_on_light_paper(grey: Grey) -> bool:
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return bool(np.median(border) > 127)


def like_mnist(grey: Grey, size: tuple[int, int] = (28, 28)) -> Grey:
    """A digit as in MNIST: uint8 ``size``.

    Cut to its ink, scaled to fit a box of 20×20 pixels with its proportions kept (the grey comes from averaging), and
    placed so that its centre of mass lies in the middle of 28×28 (LeCun, Bottou, Bengio, Haffner: Gradient-Based
    Learning Applied to Document Recognition, 1998). Their middle is pixel (14, 14): that is where the mean of MNIST's
    centres lies.

    Raises:
        SpecError: nothing is on it.
    """
    ink = _cut_to_ink(grey)
    scale = min(size) * 20 / 28 / max(ink.shape)
    small = _resized(ink, (max(1, round(ink.shape[0] * scale)), max(1, round(ink.shape[1] * scale))))
    canvas = np.zeros(size, np.uint8)
    places = []
    for axis in (0, 1):
        weights = small.sum(axis=1 - axis, dtype=np.float64)
        middle = (weights * (np.arange(len(weights)) + 0.5)).sum() / weights.sum()
        place = round((size[axis] + 1) / 2 - middle)
        places.append(min(max(place, 0), size[axis] - len(weights)))
    top, left = places
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def like_digits(grey: Grey, size: tuple[int, int] = (8, 8)) -> Grey:
    """A digit as in the 8×8 digits: uint8 ``size``, 255 where their count is 16.

    Theirs are counts of black pixels in the blocks of 4×4 of a 32×32 bitmap, made by NIST's preparation: a digit is set
    upright, fills a box of 20 × 32, and its strokes are thinned or thickened (Garris et al.: NIST Form-Based Handprint
    Recognition System, NISTIR 5469, 1994; Alpaydin, Kaynak: Cascading Classifiers, 1998). Here a blur of one pixel and
    the threshold that makes the bitmap black and white see to the thickness: as much is black as in the data set on
    average.

    Raises:
        SpecError: nothing is on it.
    """
    ink = _cut_to_ink(_upright(grey))
    tall, wide = 4 * size[0], 4 * size[1]
    box = wide * 20 // 32
    left = (wide - box) // 2
    shades = np.asarray(Image.fromarray(_resized(ink, (tall, box))).filter(ImageFilter.GaussianBlur(1)))
    bitmap = np.zeros((tall, wide))
    bitmap[:, left : left + box] = shades >= max(np.quantile(shades, 1 - BLACK * wide / box), 1)
    counts = bitmap.reshape(size[0], 4, size[1], 4).sum(axis=(1, 3))
    return _bytes(counts * (255 / 16))


def _upright(grey: Grey) -> Grey:
    """Sheared so that it leans to no side: rows and columns of its ink are no longer correlated."""
    ink = _without_paper(grey).astype(np.float64)
    if not ink.any():
        return grey
    rows, columns = np.indices(ink.shape)
    row, column = np.average(rows, weights=ink), np.average(columns, weights=ink)
    spread = np.average((rows - row) ** 2, weights=ink)
    slant = np.average((rows - row) * (columns - column), weights=ink) / spread if spread else 0.0
    room = int(abs(slant) * len(grey)) + 1  # what leans out of the picture is not lost
    wide = np.pad(grey, ((0, 0), (room, room)))
    shear = (1, slant, -slant * row, 0, 1, 0)
    return np.asarray(Image.fromarray(wide).transform(wide.shape[::-1], Image.Transform.AFFINE, shear, BILINEAR))


def _cut_to_ink(grey: Grey) -> Grey:
    """The smallest part that holds all ink; the darkest becomes 255."""
    ink = _without_paper(grey)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        raise SpecError("Nothing is on this picture. Draw a digit, or upload another picture.", "picture")
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _bytes(cut * (255 / cut.max()))


def _without_paper(grey: Grey) -> Grey:
    """Ink alone: the faint grey of a scan's paper becomes 0."""
    return _bytes(np.where(grey > 0.2 * int(grey.max()), grey, 0))


def _middle(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The largest part of the wanted proportions around the middle, scaled to ``size``."""
    height, width = picture.shape[:2]
    scale = min(height / size[0], width / size[1])
    tall, wide = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - tall) // 2, (width - wide) // 2
    return _resized(picture[top : top + tall, left : left + wide], size)


def _resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Averaged over the area of each new pixel; interpolated where it grows."""
    grows = size[0] > picture.shape[0] or size[1] > picture.shape[1]
    way = BILINEAR if grows else Image.Resampling.BOX
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((size[1], size[0]), way))


_PREPARATIONS: dict[type[Data], Callable[[Grey, tuple[int, int]], Grey]] = {Mnist: like_mnist, Digits: like_digits}
"""How a data set of grey pictures prepared its own; the others were cut out and averaged."""
