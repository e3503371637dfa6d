"""The colours, once: a class, a sign or a curve has the same colour on every page, in the light and the dark theme.

All are of middle lightness (contrast of at least 3:1 against both backgrounds), told apart by people with any of the
common colour-vision deficiencies in the order in which they stand, and never the only sign of a difference.
"""

import numpy as np
from numpy.typing import NDArray

CLASSES: tuple[str, ...] = (
    "#dd7500", "#2f7fd6", "#149e77", "#c9479b", "#8367d4", "#a89200", "#0a9db8", "#d4453d", "#7d8790", "#94612f",
)  # fmt: skip
"""One colour a class; with two classes orange is the negative one and blue the positive."""
SHAPES: tuple[str, ...] = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
"""One mark a class, so that no picture depends on colour."""
NEGATIVE, ZERO, POSITIVE = "#dd7500", "#8a8f98", "#2f7fd6"
TRAINING, VALIDATION = "#4f74e3", "#d9590b"
SEQUENTIAL = "cividis"
COLOR_BAR = {"orient": "bottom", "gradientLength": 180, "titleOrient": "top"}
"""How Vega draws what the colours of a heat map mean: short enough, with its title above, for a telephone."""


def class_color(index: int) -> str:
    """The colour of a class; beyond ten they repeat."""
    return CLASSES[index % len(CLASSES)]


def class_rgb(classes: int) -> NDArray[np.float32]:
    """Colours of the first ``classes`` classes: float32 of shape (classes, 3), 0–255."""
    rgb = [[int(class_color(k)[i : i + 2], 16) for i in (1, 3, 5)] for k in range(classes)]
    return np.array(rgb, np.float32)
