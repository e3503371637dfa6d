"""What every layer makes of one input, with the gradients that flow back through it."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.engine.model.build import encode_targets, loss_of
from playground.engine.probes import tiles
from playground.engine.probes.subject import Subject
from playground.engine.probes.trace import (
    Derivatives,
    Outputs,
    chosen_classes,
    class_scores,
    derive,
    layers_of,
    one_input,
    outputs_of,
    predicted_class,
    read_by_loss,
)
from playground.spec.probes import Activations

Size = tuple[int, ...]


def activations(subject: Subject, asked: Activations, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """Every layer's output, weights and gradients for one input, in inference mode.

    With a target the gradients are those of the experiment's loss for this input; without one, those of the score of
    the predicted class before the output's activation.

    Args:
        subject: the network.
        asked: which example, or the target of an input from outside.
        inputs: float32 (1, *input_shape), scaled; None: the example of the split.

    Returns:
        ``scores`` as :meth:`Restored.scores` gives them, of the one input; ``predicted`` class index; ``target``, class
        index, number or None; ``of``, "loss" or "score", of whose ``value`` the gradients are; and ``layers``, the
        input first: a list of ``id``, ``kind``, ``output``, ``gradient`` (or None), ``by_logits`` (it is the gradient
        of the values before the activation) and ``weights``, a list of ``name``, ``values`` and ``gradient`` (or None).
        Each array is what :func:`playground.engine.probes.tiles.picture` gives.

    Raises:
        SpecError: there is no such example or class, or several inputs were given.
    """
    x = tf.convert_to_tensor(one_input(subject, asked.part, asked.index, inputs))
    target = _target(subject, asked) if inputs is not None else subject.part(asked.part)[1][asked.index].item()
    outputs = outputs_of(subject, x)
    predicted = predicted_class(subject, outputs)
    found = _derivatives(subject, x, target, predicted)
    value = _loss(subject, outputs, target) if target is not None else class_scores(subject, outputs, [predicted])[0]
    return {
        "scores": subject.restored.scores(x.numpy())[0],
        "predicted": predicted,
        "target": target,
        "of": "score" if target is None else "loss",
        "value": float(value),
        "layers": _rows(subject, found),
    }


def _target(subject: Subject, asked: Activations) -> float | int | None:
    if asked.target is None or not subject.restored.facts.class_names:
        return asked.target
    return chosen_classes(subject, [int(asked.target)])[0]


def _derivatives(subject: Subject, x: tf.Tensor, target: float | None, predicted: int) -> Derivatives:
    if target is None:
        return derive(subject, x, lambda outputs: class_scores(subject, outputs, [predicted])[0])
    return derive(subject, x, lambda outputs: _loss(subject, outputs, target))


def _loss(subject: Subject, outputs: Outputs, target: float) -> tf.Tensor:
    experiment, facts = subject.restored.experiment, subject.restored.facts
    y = np.array([target], np.int32 if facts.class_names else np.float32)
    return loss_of(experiment, facts)(encode_targets(y, experiment, facts), outputs[-1])


def _rows(subject: Subject, found: Derivatives) -> list[dict[str, Any]]:
    """The input and every layer."""
    rows = [{"id": "input", "kind": "Input", **_output(found, 0), "weights": []}]
    flattened: Size | None = None
    for index, layer in enumerate(layers_of(subject.model), start=1):
        weights = [_weight(variable, found, flattened) for variable in layer.weights]
        rows.append({"id": layer.name, "kind": type(layer).__name__, **_output(found, index), "weights": weights})
        flattened = _flattened(layer, tuple(found.outputs[index - 1].shape[1:]), flattened)
    return rows


def _output(found: Derivatives, index: int) -> dict[str, Any]:
    output, gradient = found.outputs[index], found.by_output[index]
    is_last = index == len(found.outputs) - 1
    return {
        "output": _output_picture(output),
        "gradient": None if gradient is None else _output_picture(gradient),
        "by_logits": is_last and gradient is not None and read_by_loss(output) is not output,
    }


def _output_picture(values: tf.Tensor) -> dict[str, Any]:
    of_one = np.asarray(values)[0]
    return tiles.picture(of_one, tiles.output_sheet(of_one))


def _weight(variable: keras.Variable, found: Derivatives, flattened: Size | None) -> dict[str, Any]:
    values, gradient = np.asarray(variable), found.by_variable.get(variable.path)

    def drawn(array: NDArray[np.floating]) -> dict[str, Any]:
        return tiles.picture(array, tiles.weight_sheet(array, flattened))

    return {
        "name": variable.name,
        "values": drawn(values),
        "gradient": None if gradient is None else drawn(np.asarray(gradient)),
    }


def _flattened(layer: keras.layers.Layer, before: Size, flattened: Size | None) -> Size | None:
    """The picture whose pixels the units behind ``layer`` still are, one by one; None: they are no pixels."""
    if isinstance(layer, keras.layers.Flatten) and len(before) == 3:
        return before
    mixes = any(len(variable.shape) > 1 for variable in layer.weights)
    return None if mixes or len(before) != 1 else flattened
