"""What a probe looks into: a network with its weights, and the data it was trained on."""

from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from playground.data import Dataset
from playground.engine import caches
from playground.engine.model.restore import Restored
from playground.errors import SpecError
from playground.settings import Settings
from playground.spec.probes import Part


class Subject:
    """A restored network and, when a probe wants it, its data set. Shared by all probes into the same weights."""

    def __init__(self, restored: Restored, settings: Settings) -> None:
        self.restored = restored
        self._settings = settings

    @property
    def model(self) -> keras.Model:
        """The network, not compiled. Nobody may change its weights."""
        return self.restored.model

    @cached_property
    def every_output(self) -> keras.Model:
        """The same network with the output of every layer, in their order, as its outputs."""
        layers = [layer for layer in self.model.layers if not isinstance(layer, keras.layers.InputLayer)]
        return keras.Model(self.model.inputs, [layer.output for layer in layers])

    @cached_property
    def data(self) -> Dataset:
        """The data set of the experiment, split and scaled as in training. Raises DataMissing."""
        experiment = self.restored.experiment
        return caches.dataset(experiment.data, experiment.seed, self._settings)

    def part(self, part: Part) -> tuple[NDArray[np.floating], NDArray[Any]]:
        """Inputs (n, *input_shape) and targets (n,) of a split.

        Raises:
            SpecError: the experiment holds out no such examples.
        """
        x, y = getattr(self.data, f"x_{part}"), getattr(self.data, f"y_{part}")
        if not len(x):
            raise SpecError(f"This experiment has no {part} examples. Choose another split.", "part")
        return x, y

    def accept(self, inputs: NDArray[Any]) -> NDArray[np.floating]:
        """Inputs from outside, in the data set's own units, scaled as in training: float32 (n, *input_shape).

        Raises:
            SpecError: another shape, or not all numbers.
        """
        wanted = self.restored.facts.input_shape
        if inputs.shape[1:] != wanted or inputs.dtype.kind not in "fiu":
            raise SpecError(
                f"The input is {_size(inputs.shape[1:])} {inputs.dtype}, this network takes {_size(wanted)} numbers. "
                "Give it an input of that size."
            )
        if not np.isfinite(inputs).all():
            raise SpecError("The input is not all numbers. Replace what is missing or infinite.")
        scaling = self.restored.experiment.data.scaling
        return self.data.scaler.transform(inputs) if scaling != "none" else np.ascontiguousarray(inputs, np.float32)

    def raw(self, x: NDArray[np.floating]) -> NDArray[Any]:
        """Scaled inputs in the data set's own units again: uint8 for pictures, else float64; the shape of ``x``."""
        values = self.data.scaler.inverse(x)
        return np.round(values).astype(np.uint8) if self.restored.experiment.data.family == "images" else values


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "single"
