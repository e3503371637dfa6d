"""The picture "network" of a network on points: what every unit answers all over the plane, and every weight.

One ``bytes``: uint32 length of the header, little-endian; the header, JSON; then, one after the other,

- uint8 (features, 30, 30): what the network receives,
- uint8 (units, 30, 30) of each layer: what its units answer; none where the network is too large to draw,
- uint8 (channels, 100, 100): what the network says, as one channel from −1 (class 0) to 1 (class 1), or one a class,
- float32 kernel, then float32 bias of each layer that has them; none where the network is too large to draw.

Row 0 is the lowest. A cell is 128 + 127 · value / scale, from 1 to 255; 0 stands for what is not a number. The header
has the numbers: ``extent`` of the plane, ``loss`` of the training and of the test examples (null: not a number),
``features`` and ``layers`` with the scale of each unit, its largest magnitude.
"""

import json
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.data import Dataset
from playground.data.features import features_of
from playground.engine.model.build import build_model, encode_targets, loss_of, scores_of, stack
from playground.engine.probes.surface import extent_of, grid_of, pack_surface, received
from playground.errors import SpecError
from playground.spec import Experiment
from playground.spec.data import Points

TILE, SURFACE = 30, 100
"""Cells on each side."""
MOST_LAYERS, MOST_UNITS = 9, 16
"""Networks of more layers (the output layer is one of them) or wider ones are not drawn unit by unit."""
JUDGED = 1024
"""Examples of a split whose loss is told, at most: the first ones."""


class Seen(NamedTuple):
    """What a forward pass shows."""

    tiles: list[tf.Tensor]
    """(30², units) of each layer; empty where the network is too large to draw."""
    surface: tf.Tensor
    """(100², units) of the last layer."""
    losses: tuple[tf.Tensor, tf.Tensor]
    """Of the training and of the test examples, without penalties."""
    weights: list[tf.Tensor]
    """Kernel and bias of each layer that has them, in order; empty where the network is too large to draw."""


class Forward:
    """One pass through a network in inference mode, for all that is drawn.

    Args:
        model: shares its weights with the picture.
        loss: of its experiment.
    """

    def __init__(self, model: keras.Model, loss: keras.losses.Loss) -> None:
        self.layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        units = [int(layer.output.shape[-1]) for layer in self.layers]
        self.is_drawn = len(units) <= MOST_LAYERS and max(units) <= MOST_UNITS
        self._model, self._loss = model, loss
        self._every_output = keras.Model(model.inputs, [layer.output for layer in self.layers])
        self.compiled = tf.function(self.see, autograph=False)

    def see(self, tile: tf.Tensor, surface: tf.Tensor, train: Any, test: Any) -> Seen:
        """Look at everything once.

        Args:
            tile: the coarse grid as the network receives it, float32 (30², features).
            surface: the fine one, (100², features).
            train: x and encoded y of training examples.
            test: the same of test examples.
        """
        tiles = self._every_output(tile, training=False) if self.is_drawn else []
        sizes = [part.shape[0] for part in (surface, train[0], test[0])]
        outputs = self._model(tf.concat([surface, train[0], test[0]], axis=0), training=False)
        drawn, on_train, on_test = tf.split(outputs, sizes)
        losses = self._loss(train[1], on_train), self._loss(test[1], on_test)
        weights = [tf.identity(v.value) for layer in self.layers for v in weights_of(layer)] if self.is_drawn else []
        return Seen(tiles if isinstance(tiles, list) else [tiles], drawn, losses, weights)


def weights_of(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Kernel and bias of a dense layer; other layers have no lines."""
    return list(layer.weights) if isinstance(layer, keras.layers.Dense) else []


class NetworkPicture:
    """Draws networks of an experiment on its points. What stays the same from picture to picture is computed once."""

    def __init__(self, experiment: Experiment, data: Dataset) -> None:
        spec, plane = experiment.data, data.plane
        if not isinstance(spec, Points) or plane is None:
            raise SpecError(f"{type(spec).label} does not lie in the plane. Choose points.", "data.kind")
        self._experiment, self._facts = experiment, data.facts
        self._extent = extent_of(plane)
        tile, surface = grid_of(self._extent, TILE), grid_of(self._extent, SURFACE)
        self._features, self._feature_scales = coded(features_of(tile, spec.features).T)

        def examples(x: NDArray[np.float32], y: NDArray[Any]) -> tuple[tf.Tensor, tf.Tensor]:
            targets = encode_targets(y[:JUDGED], experiment, data.facts)
            return tf.convert_to_tensor(x[:JUDGED]), tf.convert_to_tensor(targets)

        self._inputs = (
            tf.convert_to_tensor(received(tile, spec, data.scaler)),
            tf.convert_to_tensor(received(surface, spec, data.scaler)),
            examples(data.x_train, data.y_train),
            examples(data.x_test, data.y_test),
        )

    def forward(self, model: keras.Model) -> Forward:
        """The pass through a network of this experiment: what may be compiled once for all who share the model."""
        return Forward(model, loss_of(self._experiment, self._facts))

    def draw(self, forward: Forward, see: Callable[..., Seen]) -> bytes:
        """The picture; ``see`` is the plain or the compiled method of ``forward``."""
        return self._draw(forward, see(*self._inputs))

    def draw_both(self, forward: Forward) -> dict[str, bytes]:
        """The picture, and the decision surface alone, coarser, for those who want no more: from one look."""
        seen = forward.compiled(*self._inputs)
        scores = scores_of(seen.surface.numpy(), self._experiment, self._facts)
        # The mean of four cells stands for the middle of them, which is the middle of a cell twice as wide.
        half = scores.reshape(SURFACE // 2, 2, SURFACE // 2, 2, -1).mean(axis=(1, 3))
        surface = half.reshape(-1) if scores.ndim == 1 else half.reshape(-1, scores.shape[1])
        return {"network": self._draw(forward, seen), "surface": pack_surface(surface, self._extent)}

    def _draw(self, forward: Forward, seen: Seen) -> bytes:
        tiles = [coded(outputs.numpy().T) for outputs in seen.tiles]
        scores = scores_of(seen.surface.numpy(), self._experiment, self._facts)
        channels = 2 * scores[None] - 1 if scores.ndim == 1 else scores.T
        surface, _ = coded(channels, scale=1.0)
        header = {
            "tile": TILE,
            "surface": SURFACE,
            "channels": len(surface),
            "extent": [round(edge, 5) for edge in self._extent],
            "loss": dict(zip(("train", "test"), map(_number, seen.losses), strict=True)),
            "features": _rows(self._facts.feature_names, self._feature_scales),
            "layers": self._layers(forward, [scales for _, scales in tiles]),
        }
        text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
        arrays = [self._features, *(cells for cells, _ in tiles), surface, *(w.numpy() for w in seen.weights)]
        return b"".join([struct.pack("<I", len(text)), text, *(array.tobytes() for array in arrays)])

    def _layers(self, forward: Forward, scales: list[NDArray[np.floating]]) -> list[dict[str, Any]]:
        """By position, because a shared model has the ids of whoever came first."""
        rows = []
        for place, (spec, layer) in enumerate(zip(stack(self._experiment, self._facts), forward.layers, strict=True)):
            weights = weights_of(layer) if forward.is_drawn else []
            rows.append(
                {
                    "id": spec.id,
                    "kind": type(layer).__name__,
                    "units": int(layer.output.shape[-1]),
                    "scales": [_short(scale) for scale in scales[place]] if scales else None,
                    "kernel": list(weights[0].shape) if weights else None,
                    "bias": len(weights) == 2,
                }
            )
        return rows


def opening(experiment: Experiment, data: Dataset) -> bytes:
    """The picture of an untrained network: its weights are those with which a run of the experiment begins.

    Raises:
        SpecError: its data does not lie in the plane, or it starts from saved weights.
    """
    if experiment.start is not None:
        raise SpecError("This network starts from saved weights. Press play to see it, or begin anew.", "start")
    picture = NetworkPicture(experiment, data)
    # Traced, it would take longer than it takes once without.
    forward = picture.forward(build_model(experiment, data.facts))
    return picture.draw(forward, forward.see)


def coded(values: NDArray[np.floating], scale: float | None = None) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
    """Values as bytes: uint8 like ``values``, and the scale of each row (rows,).

    Args:
        values: (rows, cells).
        scale: of every row; None: the largest magnitude in it.
    """
    finite = np.isfinite(values)
    numbers = np.where(finite, values, 0)
    scales = np.abs(numbers).max(axis=1) if scale is None else np.full(len(values), scale)
    shares = numbers / np.maximum(scales, np.finfo(np.float32).tiny)[:, None]
    return np.where(finite, np.rint(128 + 127 * shares.clip(-1, 1)), 0).astype(np.uint8), scales


def _rows(names: tuple[str, ...], scales: NDArray[np.floating]) -> list[dict[str, Any]]:
    return [{"name": name, "scale": _short(scale)} for name, scale in zip(names, scales, strict=True)]


def _number(value: Any) -> float | None:
    """A loss in JSON, which knows no NaN."""
    return float(value) if np.isfinite(value) else None


def _short(scale: float) -> float:
    return float(f"{scale:.4g}")
