"""What the network says of a few test examples as it learns, as a small picture of the run."""

import json
import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.data import Dataset
from playground.data.scaling import WHITE
from playground.spec.data import Data

SHOWN = 8
SIDE = 56
"""Pixels of a picture at most; larger ones lose rows and columns."""


class Samples:
    """A few test examples, always the same, packed with what the network says of them.

    Args:
        data: where they come from; without test examples, validation examples.
        spec: the data set that was asked for.
    """

    def __init__(self, data: Dataset, spec: Data) -> None:
        has_test = len(data.x_test) > 0
        x, y = (data.x_test, data.y_test) if has_test else (data.x_validation, data.y_validation)
        chosen = _of_every_class(y, data.facts.task) if len(y) else np.empty(0, int)
        self.x: NDArray[np.float32] = x[chosen]
        """(n, *input_shape), as the network sees them; n is 0 where there are none."""
        self._y, self._names = y[chosen], data.facts.class_names
        self._pixels = _pixels(data, spec, self.x) if data.facts.family == "images" and len(chosen) else None

    def pack(self, scores: NDArray[np.floating]) -> bytes:
        """uint32 length (little-endian) | JSON | uint8 pixels (n, height, width, channels) of pictures.

        The JSON: ``size`` (height, width, channels; null without pictures), ``names`` of the classes (null for numbers)
        and ``examples``, each with ``true`` and ``top``: the likeliest class and its probability, or the number that
        the network predicts and null.

        Args:
            scores: (n, classes) probabilities, (n,) of the second of two classes, or (n,) numbers.
        """
        examples = [{"true": y.item(), "top": self._top(score)} for y, score in zip(self._y, scores, strict=True)]
        size = None if self._pixels is None else self._pixels.shape[1:]
        text = json.dumps({"size": size, "names": self._names or None, "examples": examples}).encode()
        pixels = b"" if self._pixels is None else self._pixels.tobytes()
        return struct.pack("<I", len(text)) + text + pixels

    def _top(self, score: Any) -> tuple[float | None, float | None]:
        if not np.isfinite(score).all():
            return None, None
        if not self._names:
            return round(float(score), 6), None
        if np.ndim(score) == 0:
            score = np.array([1 - score, score])
        best = int(np.argmax(score))
        return best, round(float(score[best]), 4)


def _of_every_class(y: NDArray[Any], task: str) -> NDArray[np.intp]:
    """Indices of the first examples, of as many classes as there are; of numbers, simply the first."""
    if task == "regression":
        return np.arange(min(SHOWN, len(y)))
    classes = np.unique(y)
    each = math.ceil(SHOWN / len(classes))
    seen = [np.flatnonzero(y == kind)[:each] for kind in classes]
    turns = [members[turn] for turn in range(each) for members in seen if turn < len(members)]
    return np.array(turns[:SHOWN], np.intp)


def _pixels(data: Dataset, spec: Data, x: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(n, height, width, channels), 0 black to 255 white, of at most ``SIDE`` rows and columns."""
    every = math.ceil(max(x.shape[1:3]) / SIDE)
    light = data.scaler.inverse(x)[:, ::every, ::every] * (255 / WHITE[type(spec)])
    return light.round().clip(0, 255).astype(np.uint8)
