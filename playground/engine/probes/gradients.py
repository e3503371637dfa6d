"""The gradient of the loss at one moment, and whether finite differences agree with it."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.engine.model.build import build_model, encode_targets, loss_of
from playground.engine.probes.subject import Subject
from playground.engine.probes.trace import Outputs, derive, layers_of
from playground.errors import SpecError
from playground.spec.probes import GradientCheck, Gradients, Part

STEP = 1e-5
"""Of the finite differences. In float64 it balances their error, of order h², against rounding, of order 1e-16 / h."""
NEGLIGIBLE = 1e-7
"""Gradients below this are compared absolutely: nothing is a large part of zero."""


def gradients(subject: Subject, asked: Gradients, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """L2 norms of the loss's gradient by the input, by every layer's output and by every trainable variable.

    The loss is the experiment's own, the mean over the examples; inference mode, see :mod:`trace`.

    Args:
        subject: the network.
        asked: which examples.
        inputs: must be None: without targets there is no loss.

    Returns:
        ``loss``; ``input``, one norm; ``layers`` with ``outputs`` float64 (layers,), of the last layer by its logits
        where the loss reads those; ``variables`` (as ``layer/variable``) with ``weights`` float64 (variables,).
    """
    x, y = _examples(subject, asked.part, asked.first, asked.examples, inputs)
    loss_by = loss_of(subject.restored.experiment, subject.restored.facts)

    def loss(outputs: Outputs) -> tf.Tensor:
        return loss_by(y, outputs[-1]) + sum(subject.model.losses)

    found, variables = derive(subject, tf.convert_to_tensor(x), loss), variables_of(subject.model)
    by_input, *by_outputs = found.by_output
    return {
        "loss": float(loss(found.outputs)),
        "input": _norm(by_input),
        "layers": [layer.name for layer in layers_of(subject.model)],
        "outputs": np.array([_norm(gradient) for gradient in by_outputs]),
        "variables": list(variables),
        "weights": np.array([_norm(found.by_variable.get(variable.path)) for variable in variables.values()]),
    }


def gradient_check(subject: Subject, asked: GradientCheck, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """Finite differences against automatic differentiation for some entries of a variable, on a float64 copy.

    (L(w + h) − L(w − h)) / 2h for one entry at a time. Half of the entries are those with the largest gradient, the
    others are drawn at random, always the same. In inference mode: with Dropout's draws the loss would be another one
    at every call.

    Args:
        subject: the network.
        asked: which variable, how many entries.
        inputs: must be None: without targets there is no loss.

    Returns:
        ``shape`` of the variable; ``entries`` int64 (n, dimensions), ``automatic``, ``numeric`` and ``relative``
        float64 (n,); relative is |automatic − numeric| / max(|automatic|, |numeric|, 1e-7).

    Raises:
        SpecError: no such variable.
    """
    x, y = _examples(subject, asked.part, 0, asked.examples, inputs)
    model, loss = _in_float64(subject, tf.convert_to_tensor(x, tf.float64), y)
    variable = variable_of(model, asked.variable)
    with tf.GradientTape() as tape:
        value = loss()
    gradient = tf.convert_to_tensor(tape.gradient(value, variable.value)).numpy().ravel()
    chosen = _chosen(gradient, asked.entries)
    numeric = np.array([_difference(variable, entry, loss) for entry in chosen])
    automatic = gradient[chosen]
    size = np.maximum(np.maximum(np.abs(automatic), np.abs(numeric)), NEGLIGIBLE)
    shape = tuple(variable.shape)
    return {
        "shape": list(shape),
        "entries": np.stack(np.unravel_index(chosen, shape), axis=1),
        "automatic": automatic,
        "numeric": numeric,
        "relative": np.abs(automatic - numeric) / size,
    }


def variables_of(model: keras.Model) -> dict[str, keras.Variable]:
    """Trainable variables as ``layer/variable``, in the order of the layers."""
    return {f"{layer.name}/{v.name}": v for layer in layers_of(model) for v in layer.trainable_variables}


def variable_of(model: keras.Model, name: str) -> keras.Variable:
    """The trainable variable ``layer/variable``. Raises SpecError, which names those there are."""
    known = variables_of(model)
    if name in known:
        return known[name]
    layer = name.partition("/")[0]
    if layer in {one.name for one in layers_of(model)} and not any(one.startswith(f"{layer}/") for one in known):
        raise SpecError(f"The layer {layer} has no weights. Choose one of {', '.join(known)}.", "variable")
    raise SpecError(f"There is no variable {name!r}. Choose one of {', '.join(known)}.", "variable")


def _examples(
    subject: Subject, part: Part, first: int, count: int, inputs: NDArray[np.floating] | None
) -> tuple[NDArray[np.floating], NDArray[Any]]:
    """Inputs (n, *input_shape) and targets as the loss wants them."""
    if inputs is not None:
        raise SpecError("A gradient needs the true answer to each input. Choose examples of a split instead.")
    x, y = subject.part(part)
    if first >= len(x):
        raise SpecError(f"There are {len(x):,} {part} examples. Choose one from 0 to {len(x) - 1:,}.", "first")
    rows = slice(first, first + count)
    return x[rows], encode_targets(y[rows], subject.restored.experiment, subject.restored.facts)


def _in_float64(subject: Subject, x: tf.Tensor, y: NDArray[Any]) -> tuple[keras.Model, Callable[[], tf.Tensor]]:
    """A copy of the network that computes in double precision, and its loss on examples."""
    restored = subject.restored
    model = build_model(restored.experiment, restored.facts, dtype="float64")
    for variable, value in zip(model.variables, subject.model.variables, strict=True):
        variable.assign(value.numpy())
    loss = loss_of(restored.experiment, restored.facts, dtype="float64")
    return model, lambda: loss(y, model(x, training=False)) + sum(model.losses)


def _chosen(gradient: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Which entries (n,) of a gradient (k,) are checked, in ascending order."""
    count = min(count, len(gradient))
    largest = np.argsort(-np.abs(gradient), kind="stable")[: -(-count // 2)]
    others = np.setdiff1d(np.arange(len(gradient)), largest)
    drawn = np.random.default_rng(0).choice(others, count - len(largest), replace=False)
    return np.sort(np.concatenate([largest, drawn]))


def _difference(variable: keras.Variable, entry: int, loss: Callable[[], tf.Tensor]) -> float:
    """The central difference of the loss by one entry (of the flattened variable), which is put back."""
    before = variable.numpy()
    losses = []
    for step in (STEP, -STEP):
        moved = before.copy()
        moved.flat[entry] += step
        variable.assign(moved)
        losses.append(float(loss()))
    variable.assign(before)
    return (losses[0] - losses[1]) / (2 * STEP)


def _norm(gradient: tf.Tensor | None) -> float:
    return 0.0 if gradient is None else float(np.linalg.norm(tf.convert_to_tensor(gradient).numpy().astype(np.float64)))
