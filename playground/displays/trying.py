"""What a network says of one input, and the inputs it may be compared with."""

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from playground.displays import palette, words
from playground.displays.figure import Figure

MOST_BARS = 12


def enlarged(picture: NDArray[np.generic], white: float, side: int = 140) -> bytes:
    """One picture as a PNG of about ``side`` pixels, its own pixels in plain sight.

    Args:
        picture: (height, width, channels), 0 to ``white``; grey ones become dark ink on white paper.
        white: the largest value a pixel can have.
        side: pixels of the longer side, about.
    """
    bytes_ = np.round(picture.astype(np.float64) * (255 / white)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(255 - bytes_[..., 0] if bytes_.shape[-1] == 1 else bytes_[..., :3])
    scale = max(1, round(side / max(image.size)))
    buffer = io.BytesIO()
    image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True, eq=False)
class Probabilities:
    """How sure a network is of each class.

    Args:
        values: (classes,) probabilities.
        class_names: one a class.
    """

    values: NDArray[np.floating]
    class_names: tuple[str, ...]

    @classmethod
    def from_scores(cls, scores: NDArray[np.floating], class_names: tuple[str, ...]) -> "Probabilities":
        """From the scores of one input: (classes,), or a single one () for the second of two classes."""
        return cls(np.array([1 - scores, scores]) if scores.ndim == 0 else scores, class_names)

    @property
    def order(self) -> NDArray[np.intp]:
        """Classes, the likeliest first."""
        return np.argsort(-self.values, kind="stable")

    @property
    def top(self) -> int:
        """The likeliest class."""
        return int(self.order[0])

    def plot(self) -> Figure:
        """Bars, the likeliest on top; of many classes the :data:`MOST_BARS` likeliest."""
        shown = self.order[:MOST_BARS]
        names = list(self.class_names)
        values = self.values[shown].astype(np.float64)
        classes = [names[k] for k in shown]
        # The share stands with the name, for a label of the axis has the colour of the theme.
        said = [f"{name} · {value:.1%}" for name, value in zip(classes, values, strict=True)]
        data = pa.table({"class": classes, "probability": values, "said": said})
        y = {"field": "said", "type": "nominal", "title": "Class", "sort": "-x", "axis": {"labelLimit": 160}}
        x = {
            "field": "probability", "type": "quantitative", "title": "Probability",
            "scale": {"domain": [0, 1]}, "axis": {"format": ".0%", "tickCount": 5},
        }  # fmt: skip
        colors = [palette.class_color(k) for k in range(len(names))]
        color = {"field": "class", "scale": {"domain": names, "range": colors}, "legend": None}
        tooltip = [
            {"field": "class", "title": "Class"},
            {"field": "probability", "type": "quantitative", "title": "Probability", "format": ".2%"},
        ]
        spec = {
            "height": {"step": 24},
            "mark": {"type": "bar", "cornerRadiusEnd": 2},
            "encoding": {"x": x, "y": y, "color": color, "tooltip": tooltip},
        }
        return Figure("Probabilities", spec, data, self.summary())

    def summary(self) -> str:
        """The likeliest class, how sure, and what comes next."""
        first, second = self.order[:2]
        said = f"{self.class_names[first]} with {words.score(self.values[first], share=True)}"
        return f"{said}, then {self.class_names[second]} with {words.score(self.values[second], share=True)}."
