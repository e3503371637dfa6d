"""How the units of a network behave over many examples: distributions, dead and saturated ones, strongest examples."""

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.engine.probes.subject import Subject
from playground.engine.probes.tiles import describe
from playground.engine.probes.trace import layers_of, outputs_of
from playground.errors import SpecError
from playground.evaluation.histogram import histogram
from playground.spec.probes import Part, Strongest, Units

AT_ONCE = 256
"""Examples of one pass."""
MOST_BYTES = 256 * 2**20
"""Memory for the outputs of all layers."""
RECTIFIERS = ("relu", "relu6")
"""Activations that are exactly 0 on one side: a unit that is 0 for every example learns nothing from any of them."""
SATURATING = {"tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0)}
"""Activations with two flat ends, and the values there."""
NEAR = 0.01
"""How near to an end a value is saturated."""
SHARE = 0.95
"""From which share of its values on a unit is saturated."""


def units(subject: Subject, asked: Units, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """Distribution of every layer's output over examples, and the units that do not take part.

    A unit is one output of a Dense layer, one channel of a picture. It is *dead* if its layer ends in relu or relu6 and
    it is 0 for every example at every place; *saturated* if its layer ends in tanh, softsign, sigmoid or hard_sigmoid
    and at least 95 % of its values lie within 0.01 of an end. The output layer is not judged: a sure network is no sick
    one.

    Args:
        subject: the network.
        asked: how many examples of which split; fewer are taken where the outputs would need more than 256 MB.
        inputs: given ones instead, float32 (n, *input_shape), scaled.

    Returns:
        ``examples``, how many; and ``layers``, a list of ``id``, ``kind``, ``activation`` (or ""), ``units``, how many;
        ``counts`` int64 (40,) and ``edges`` float64 (41,) of the histogram; ``mean``, ``std``, ``min``, ``max``,
        ``zeros`` as :func:`playground.engine.probes.tiles.describe` says; ``dead`` and ``saturated``, indices of units,
        or None where a layer cannot have such.

    Raises:
        SpecError: the experiment has no such examples.
    """
    layers = layers_of(subject.model)
    x = _spread(subject, asked.part, _affordable(layers, asked.examples))[0] if inputs is None else inputs
    outputs = zip(*_pieces(subject, x), strict=True)
    rows = [
        _row(layer, np.concatenate(pieces), is_judged=layer is not layers[-1])
        for layer, pieces in zip(layers, outputs, strict=True)
    ]
    return {"examples": len(x), "layers": rows}


def strongest(subject: Subject, asked: Strongest, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """The examples of a split that drive a unit highest. A channel of a picture counts with its largest value.

    Args:
        subject: the network.
        asked: layer, unit, how many, among how many examples of which split.
        inputs: not looked at.

    Returns:
        ``index`` (k,), where they stand in the split, strongest first; ``values`` float32 (k,); ``x`` (k, *input_shape)
        in the data set's own units; ``targets`` (k,); ``examples``, among how many.

    Raises:
        SpecError: no such layer or unit, or the experiment has no such examples.
    """
    names = [layer.name for layer in layers_of(subject.model)]
    if asked.layer not in names:
        raise SpecError(f"There is no layer {asked.layer}. Choose one of {', '.join(names)}.", "layer")
    at = names.index(asked.layer)
    known = int(layers_of(subject.model)[at].output.shape[-1])
    if asked.unit >= known:
        raise SpecError(f"The layer {asked.layer} has units 0 to {known - 1}. Choose one of them.", "unit")
    x, rows = _spread(subject, asked.part, asked.examples)
    values = np.concatenate([_peak(outputs[at][..., asked.unit]) for outputs in _pieces(subject, x)])
    best = np.argsort(-values, kind="stable")[: asked.top]
    return {
        "index": rows[best],
        "values": values[best],
        "x": subject.raw(x[best]),
        "targets": subject.part(asked.part)[1][rows[best]],
        "examples": len(x),
    }


def _peak(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """The largest value of each example, (n,)."""
    return values.reshape(len(values), -1).max(axis=1)


def _affordable(layers: list[keras.layers.Layer], examples: int) -> int:
    values = sum(math.prod(layer.output.shape[1:]) for layer in layers)
    return max(1, min(examples, MOST_BYTES // (4 * values)))


def _spread(subject: Subject, part: Part, examples: int) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """So many examples spread evenly over a split, and where they stand in it: splits may be sorted by class."""
    x, _ = subject.part(part)
    rows = np.unique(np.linspace(0, len(x) - 1, min(examples, len(x))).round().astype(int))
    return x[rows], rows


def _pieces(subject: Subject, x: NDArray[np.floating]) -> Iterator[list[NDArray[np.floating]]]:
    """Each layer's output, some examples at a time."""
    for at in range(0, len(x), AT_ONCE):
        yield [np.asarray(values) for values in outputs_of(subject, tf.convert_to_tensor(x[at : at + AT_ONCE]))[1:]]


def _row(layer: keras.layers.Layer, values: NDArray[np.floating], *, is_judged: bool) -> dict[str, Any]:
    """What is known of one layer from its outputs (n, …, units)."""
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    counts, edges = histogram(values)
    return {
        "id": layer.name,
        "kind": type(layer).__name__,
        "activation": activation,
        "units": values.shape[-1],
        "counts": counts,
        "edges": edges,
        **describe(values),
        "dead": dead_units(values) if is_judged and activation in RECTIFIERS else None,
        "saturated": saturated_units(values, activation) if is_judged and activation in SATURATING else None,
    }


def dead_units(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Units (last axis) that are 0 everywhere."""
    return np.flatnonzero((values == 0).reshape(-1, values.shape[-1]).all(axis=0))


def saturated_units(values: NDArray[np.floating], activation: str) -> NDArray[np.int64]:
    """Units (last axis) of which at least ``SHARE`` of the values lie within ``NEAR`` of an end of the activation."""
    low, high = SATURATING[activation]
    at_an_end = (values < low + NEAR) | (values > high - NEAR)
    return np.flatnonzero(at_an_end.reshape(-1, values.shape[-1]).mean(axis=0) >= SHARE)
