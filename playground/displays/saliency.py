"""What a class score depends on: maps over a picture, bars over the features of a table."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from playground.displays import palette, words
from playground.displays.figure import Figure
from playground.displays.tiles import image_html, legend_html, places, png, sheet_png, signed

SIDE = 224
"""Pixels of the longer side of a picture, about."""
MOST_BARS = 30
STRONGEST = 0.85
"""How much of the picture the strongest place of a Grad-CAM covers."""


@dataclass(frozen=True, eq=False)
class SaliencyMap:
    """How much each pixel counts for the score of a class.

    Args:
        values: (height, width, channels), signed.
        class_name: whose score.
        method: "gradient" or "integrated_gradients".
    """

    values: NDArray[np.floating]
    class_name: str
    method: str

    @property
    def strongest_channel(self) -> NDArray[np.floating]:
        """(height, width): of each pixel's channels the one that counts most (Simonyan et al., 2013), with its sign."""
        at = np.abs(self.values).argmax(axis=-1)
        return np.take_along_axis(self.values, at[..., None], axis=-1)[..., 0]

    @property
    def title(self) -> str:
        """The method's name."""
        return "Gradient" if self.method == "gradient" else "Integrated gradients"

    def html(self) -> str:
        """The map beside its legend and words (class ``saliency``)."""
        values = self.strongest_channel
        largest = _largest(values)
        sheet = sheet_png(places(values[None, None], largest, signed=True), signed=True)
        legend = legend_html(largest, signed_values=True)
        return _figure(self.title, image_html(sheet, self.summary()), legend, self.summary())

    def summary(self) -> str:
        """What the colours mean."""
        if not _largest(self.values):
            return f"Nothing in this picture changes the score of {self.class_name}."
        if self.method == "gradient":
            return f"Blue: a brighter pixel raises the score of {self.class_name}; orange: it lowers it."
        total = float(self.values.sum())
        return (
            f"Blue pixels have raised the score of {self.class_name} since a blank input, orange ones lowered it; "
            f"together {signed(total)}."
        )


@dataclass(frozen=True, eq=False)
class GradCamMap:
    """Where a layer sees what speaks for a class.

    Args:
        picture: (height, width, channels), 0 to ``white``.
        white: the largest value a pixel can have.
        values: (rows, columns) ≥ 0, of the layer's size.
        class_name: which class.
        layer: the layer's id.
    """

    picture: NDArray[np.generic]
    white: float
    values: NDArray[np.floating]
    class_name: str
    layer: str

    def html(self) -> str:
        """The map over the picture, beside its legend and words (class ``saliency``)."""
        colors = f"linear-gradient(90deg,#fff,{palette.POSITIVE})"
        largest = signed(_largest(self.values))
        legend = f'<div class="legend"><span>0</span><i style="background:{colors}"></i><span>{largest}</span></div>'
        return _figure("Grad-CAM", image_html(self._png(), self.summary()), legend, self.summary())

    def _png(self) -> bytes:
        """The picture, grey, under blue that grows with the map; between the map's places it is interpolated."""
        grey = self.picture.astype(np.float64).mean(axis=-1) / self.white
        paper = 1 - grey if self.picture.shape[-1] == 1 else grey  # dark ink on white paper
        scale = max(1, round(SIDE / max(paper.shape)))
        paper = np.kron(paper, np.ones((scale, scale)))[..., None] * 255
        largest = _largest(self.values)
        share = np.nan_to_num(self.values / largest) if largest else np.zeros_like(self.values)
        size = paper.shape[1], paper.shape[0]
        cover = np.asarray(Image.fromarray(share.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))[..., None]
        blue = np.array([int(palette.POSITIVE[i : i + 2], 16) for i in (1, 3, 5)])
        return png(np.round(paper + (blue - paper) * cover * STRONGEST).astype(np.uint8))

    def summary(self) -> str:
        """Where it is strongest."""
        if not _largest(self.values):
            nothing = f"nothing in {self.layer} speaks for {self.class_name}"
            return f"By the mean gradient of its maps {nothing}: try another layer."
        rows, columns = self.values.shape
        row, column = np.unravel_index(int(np.nanargmax(self.values)), self.values.shape)
        vertical = ("top", "middle", "bottom")[min(2, int(3 * row) // rows)]
        sideways = ("left", "centre", "right")[min(2, int(3 * column) // columns)]
        place = "centre" if (vertical, sideways) == ("middle", "centre") else f"{vertical} {sideways}"
        return f"What speaks for {self.class_name} in {self.layer} is strongest at the {place}."


def _largest(values: NDArray[np.floating]) -> float:
    largest = float(np.abs(values).max(initial=0))
    return largest if math.isfinite(largest) else 0.0


def _figure(title: str, image: str, legend: str, said: str) -> str:
    words_beside = f"<div><h6>{title}</h6>{legend}<figcaption>{escape(said)}</figcaption></div>"
    return f'<figure class="saliency">{image}{words_beside}</figure>'


@dataclass(frozen=True, eq=False)
class FeatureBars:
    """How much each feature of a table counts for a score.

    Args:
        values: (features,), signed.
        feature_names: one a value.
        class_name: whose score; the target's name for a regression.
        method: "gradient" or "integrated_gradients".
    """

    values: NDArray[np.floating]
    feature_names: tuple[str, ...]
    class_name: str
    method: str

    def plot(self) -> Figure:
        """Bars to both sides of 0, the longest on top; of many features the longest thirty."""
        order = np.argsort(-np.abs(self.values), kind="stable")[:MOST_BARS]
        names = [self.feature_names[k] for k in order]
        data = pa.table({"feature": names, "value": self.values[order].astype(np.float64)})
        what = "∂score/∂scaled value" if self.method == "gradient" else "Part of the score"
        y = {"field": "feature", "type": "nominal", "title": None, "sort": names, "axis": {"labelLimit": 150}}
        x = {"field": "value", "type": "quantitative", "title": what}
        color = {"condition": {"test": "datum.value < 0", "value": palette.NEGATIVE}, "value": palette.POSITIVE}
        tooltip = [{"field": "feature", "title": "Feature"}, {**x, "format": ".3g"}]
        spec = {
            "height": {"step": 22},
            "mark": {"type": "bar"},
            "encoding": {"x": x, "y": y, "color": color, "tooltip": tooltip},
        }
        title = "Gradient" if self.method == "gradient" else "Integrated gradients"
        return Figure(f"{title}: {self.class_name}", spec, data, self.summary())

    def summary(self) -> str:
        """The feature that counts most."""
        if not _largest(self.values):
            return f"No feature changes the score of {self.class_name}."
        k = int(np.nanargmax(np.abs(self.values)))
        effect = "raises" if self.values[k] > 0 else "lowers"
        if self.method == "gradient":
            said = f"A higher {self.feature_names[k]} {effect} the score of {self.class_name} most"
            return f"{said}: {signed(float(self.values[k]))} a unit of the scaled value."
        said = f"{self.feature_names[k]} {effect} the score of {self.class_name} most, by"
        share = words.score(abs(float(self.values[k])))
        return f"{said} {share}; all features together change it by {signed(float(self.values.sum()))}."
