"""How a network fared while it trained: gradients, updates, weights and outputs of every layer, moment by moment.

Collected on one fixed probe batch, so that two moments differ in nothing but the weights. Plain arrays: the engine
writes them, verdicts and displays read them.
"""

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.evaluation.histogram import BINS, histogram

HISTOGRAMS = ("gradient", "update", "weight")
LAYER_COLUMNS = ("mean", "std", "zeros", "dead", "saturated", "gradient")
VARIABLE_COLUMNS = ("gradient", "weight", "std", "ratio")

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Names:
    """What the columns of a :class:`Health` are about."""

    layers: tuple[str, ...]
    """Ids, from first to last; the last one is ``output``."""
    activations: tuple[str, ...]
    """Keras's name of each layer's activation; "" for a layer without one."""
    variables: tuple[str, ...]
    """Trainable variables as ``layer/variable``."""
    shapes: tuple[tuple[int, ...], ...]
    """One a variable."""

    @property
    def kernels(self) -> tuple[int, ...]:
        """Which variables are kernels. Biases start at 0, where no ratio to their size says anything."""
        return tuple(index for index, shape in enumerate(self.shapes) if len(shape) >= 2)

    def layer_of(self, variable: int) -> str:
        """The layer to which a variable belongs."""
        return self.variables[variable].partition("/")[0]


@dataclass(frozen=True, eq=False)
class Moment:
    """What was measured at one step."""

    step: int
    epoch: float
    loss: float
    """Of the probe batch."""
    layers: Floats
    """(layers, 6), see ``LAYER_COLUMNS``."""
    variables: Floats
    """(variables, 4), see ``VARIABLE_COLUMNS``."""
    counts: NDArray[np.integer] | None = None
    """(variables, 3, BINS), see ``HISTOGRAMS``; None at moments without histograms."""
    edges: Floats | None = None
    """(variables, 3, 2): lower edge of the first bin, upper edge of the last."""


@dataclass(frozen=True, eq=False)
class Health:
    """The series of one run, over m moments and h ≤ m moments with histograms.

    Args:
        names: what the columns are about.
        step: int64 (m,).
        epoch: float64 (m,), epochs seen.
        loss: float32 (m,), of the probe batch.
        layers: float32 (m, layers, 6). ``mean`` and ``std`` of a layer's outputs; ``zeros``, the share that is exactly
            0; ``dead``, the share of units that are 0 for every example; ``saturated``, the share of outputs where the
            activation is flat; ``gradient``, the root mean square of the loss's gradient by the outputs (of the last
            layer by its logits, where the loss reads those). NaN where it means nothing.
        variables: float32 (m, variables, 4). ``gradient`` and ``weight``, L2 norms; ``std`` of the weights; ``ratio``,
            log10(mean |update| / mean |weight|) of one step of the optimizer.
        histogram_epoch: float64 (h,).
        counts: uint16 (h, variables, 3, BINS).
        edges: float32 (h, variables, 3, 2).
    """

    names: Names
    step: NDArray[np.integer]
    epoch: Floats
    loss: Floats
    layers: Floats
    variables: Floats
    histogram_epoch: Floats
    counts: NDArray[np.integer]
    edges: Floats

    @classmethod
    def empty(cls, names: Names) -> "Health":
        """Nothing measured yet."""
        layers, variables = len(names.layers), len(names.variables)
        return cls(
            names=names,
            step=np.empty(0, np.int64),
            epoch=np.empty(0),
            loss=np.empty(0, np.float32),
            layers=np.empty((0, layers, len(LAYER_COLUMNS)), np.float32),
            variables=np.empty((0, variables, len(VARIABLE_COLUMNS)), np.float32),
            histogram_epoch=np.empty(0),
            counts=np.empty((0, variables, len(HISTOGRAMS), BINS), np.uint16),
            edges=np.empty((0, variables, len(HISTOGRAMS), 2), np.float32),
        )

    def __len__(self) -> int:
        return len(self.step)

    def of_layers(self, column: str) -> Floats:
        """One column of the layers, (m, layers)."""
        return self.layers[..., LAYER_COLUMNS.index(column)]

    def of_variables(self, column: str) -> Floats:
        """One column of the variables, (m, variables)."""
        return self.variables[..., VARIABLE_COLUMNS.index(column)]

    def with_moment(self, moment: Moment) -> "Health":
        """These series with one moment more at their ends."""
        longer = replace(
            self,
            step=np.append(self.step, moment.step),
            epoch=np.append(self.epoch, moment.epoch),
            loss=np.append(self.loss, np.float32(moment.loss)),
            layers=np.concatenate([self.layers, moment.layers[None].astype(np.float32)]),
            variables=np.concatenate([self.variables, moment.variables[None].astype(np.float32)]),
        )
        if moment.counts is None or moment.edges is None:
            return longer
        return replace(
            longer,
            histogram_epoch=np.append(self.histogram_epoch, moment.epoch),
            counts=np.concatenate([self.counts, moment.counts[None].astype(np.uint16)]),
            edges=np.concatenate([self.edges, moment.edges[None].astype(np.float32)]),
        )

    def until(self, step: int) -> "Health":
        """What was measured up to a step: a resumed training passes the later ones again."""
        epoch = self.epoch[self.step <= step].max(initial=-1.0)
        return self._where(self.step <= step, self.histogram_epoch <= epoch)

    def thinned(self, moments: int, histograms: int) -> "Health":
        """At most so many moments and histograms: every other one goes where there are more, the last stays."""
        return self._where(_every_other(len(self), moments), _every_other(len(self.histogram_epoch), histograms))

    def _where(self, moments: NDArray[np.bool_], histograms: NDArray[np.bool_]) -> "Health":
        first = {name: getattr(self, name)[moments] for name in ("step", "epoch", "loss", "layers", "variables")}
        second = {name: getattr(self, name)[histograms] for name in ("histogram_epoch", "counts", "edges")}
        return replace(self, **first, **second)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For the store; ``from_arrays`` takes them back."""
        names = json.dumps([self.names.layers, self.names.activations, self.names.variables, self.names.shapes])
        return {"names": np.frombuffer(names.encode(), np.uint8), **{name: getattr(self, name) for name in _ARRAYS}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Health":
        """The series that ``to_arrays`` wrote."""
        layers, activations, variables, shapes = json.loads(arrays["names"].tobytes())
        names = Names(tuple(layers), tuple(activations), tuple(variables), tuple(map(tuple, shapes)))
        return cls(names=names, **{name: arrays[name] for name in _ARRAYS})

    def pack(self) -> bytes:
        """The same as bytes, for the live picture of a run."""
        file, arrays = io.BytesIO(), dict[str, Any](self.to_arrays())
        np.savez(file, **arrays)
        return zlib.compress(file.getvalue(), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> "Health":
        """The series that ``pack`` wrote."""
        with np.load(io.BytesIO(zlib.decompress(packed)), allow_pickle=False) as archive:
            return cls.from_arrays(dict(archive))


_ARRAYS = ("step", "epoch", "loss", "layers", "variables", "histogram_epoch", "counts", "edges")


def _every_other(length: int, most: int) -> NDArray[np.bool_]:
    kept = np.ones(length, np.bool_)
    if length > most:
        kept[1:-1:2] = False
    return kept


def histograms(samples: Sequence[Sequence[Floats]]) -> tuple[NDArray[np.integer], Floats]:
    """Histograms of each variable's gradient, update and weights: (variables, 3, BINS) and (variables, 3, 2)."""
    pairs = [[histogram(values) for values in row] for row in samples]
    counts = np.array([[counts for counts, _ in row] for row in pairs], np.uint16)
    outer = np.array([[edges[[0, -1]] for _, edges in row] for row in pairs], np.float64)
    largest = np.finfo(np.float32).max
    edges = outer.clip(-largest, largest).astype(np.float32)
    return counts.reshape(-1, len(HISTOGRAMS), BINS), edges.reshape(-1, len(HISTOGRAMS), 2)
