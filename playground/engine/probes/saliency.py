"""Which parts of an input a class score depends on: gradient, integrated gradients, Grad-CAM.

The score is the one before the output's activation: a softmax near 1 is flat, so its gradient says little, and it falls
when another class rises (Simonyan et al., "Deep Inside Convolutional Networks", 2013, section 3, for the same reason).
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.engine.probes.subject import Subject
from playground.engine.probes.trace import (
    chosen_classes,
    class_scores,
    layers_of,
    one_input,
    outputs_of,
    predicted_class,
)
from playground.errors import SpecError
from playground.spec.probes import GradCam, Saliency

AT_ONCE = 256
"""Inputs of one pass: as many as fit into memory beside a network on large pictures."""


def saliency(subject: Subject, asked: Saliency, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """How much each input value counts for the scores of classes.

    gradient: ∂score/∂input (Simonyan et al., 2013). integrated_gradients: (x − baseline) · the mean of the gradient on
    the straight line from the baseline to x, by the midpoint rule (Sundararajan et al., "Axiomatic Attribution for Deep
    Networks", 2017); the baseline is zero as the network sees it (a black picture, or with standard scaling the mean).

    Args:
        subject: the network.
        asked: method, classes, example.
        inputs: float32 (1, *input_shape), scaled; None: the example of the split.

    Returns:
        ``classes``, indices; ``maps`` (classes, *input_shape), of the scaled input; ``scores`` (classes,) of the input;
        ``baseline_scores`` (classes,). The sum of integrated gradients is the difference of the two, up to the error of
        the rule.

    Raises:
        SpecError: there is no such example or class.
    """
    x = one_input(subject, asked.part, asked.index, inputs)
    classes = _classes(subject, asked.classes, x)
    if asked.method == "gradient":
        maps = np.stack([_gradient(subject, x, [k])[0] for k in classes])
    else:
        steps = (np.arange(asked.steps) + 0.5) / asked.steps
        line = (steps.reshape(-1, *[1] * (x.ndim - 1)) * x).astype(x.dtype)
        maps = np.stack([_mean_gradient(subject, line, k) * x[0] for k in classes])
    return {
        "classes": classes,
        "maps": maps,
        "scores": _scores(subject, x, classes),
        "baseline_scores": _scores(subject, np.zeros_like(x), classes),
    }


def _classes(subject: Subject, asked: tuple[int, ...], x: NDArray[np.floating]) -> list[int]:
    """The classes asked for; none: the predicted one."""
    return chosen_classes(subject, asked) or [predicted_class(subject, outputs_of(subject, tf.convert_to_tensor(x)))]


def _scores(subject: Subject, x: NDArray[np.floating], classes: list[int]) -> NDArray[np.floating]:
    outputs = outputs_of(subject, tf.repeat(tf.convert_to_tensor(x), len(classes), axis=0))
    return np.asarray(class_scores(subject, outputs, classes))


def _gradient(subject: Subject, x: NDArray[np.floating], classes: list[int]) -> NDArray[np.floating]:
    """∂score/∂input of each row's class, (n, *input_shape)."""
    watched = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        # Rows do not meet each other in inference mode, so the gradient of the sum holds that of each.
        total = tf.reduce_sum(class_scores(subject, outputs_of(subject, watched), classes))
    return np.asarray(tape.gradient(total, watched))


def _mean_gradient(subject: Subject, line: NDArray[np.floating], k: int) -> NDArray[np.floating]:
    """The mean over all rows of ∂score/∂input."""
    pieces = [line[at : at + AT_ONCE] for at in range(0, len(line), AT_ONCE)]
    total: NDArray[np.floating] = sum(_gradient(subject, piece, [k] * len(piece)).sum(axis=0) for piece in pieces)
    return total / len(line)


def grad_cam(subject: Subject, asked: GradCam, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """Where a layer sees what speaks for a class: relu(Σ_k α_k A_k), A_k the layer's maps, α_k the mean of ∂score/∂A_k.

    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017,
    equations 1 and 2.

    Args:
        subject: the network.
        asked: layer, classes, example.
        inputs: float32 (1, *input_shape), scaled; None: the example of the split.

    Returns:
        ``classes``, indices; ``layer``, the id of the one taken: the wanted one, or the last that sees anything;
        ``layers``, the ids of all that could be; ``maps`` (classes, height, width) ≥ 0, of the layer's size.

    Raises:
        SpecError: the network has no layer with a picture, no such layer, or there is no such example or class.
    """
    x = one_input(subject, asked.part, asked.index, inputs)
    spatial = {
        layer.name: at for at, layer in enumerate(layers_of(subject.model), start=1) if len(layer.output.shape) == 4
    }
    if not spatial:
        raise SpecError(
            "Grad-CAM needs a layer that gives pictures, and this network has none. Add a Conv2D layer and train it.",
            "layer",
        )
    if asked.layer and asked.layer not in spatial:
        raise SpecError(
            f"Grad-CAM cannot look at the layer {asked.layer}. Choose one of {', '.join(spatial)}.", "layer"
        )
    classes = _classes(subject, asked.classes, x)

    def maps_of(layer: str) -> NDArray[np.floating]:
        return np.stack([_class_map(subject, x, k, spatial[layer]) for k in classes])

    # Under a Flatten the mean gradient of a late layer's maps may speak against every class: then an earlier one.
    wanted = [asked.layer] if asked.layer else [*reversed(spatial)]
    layer, maps = wanted[0], maps_of(wanted[0])
    for earlier in wanted[1:]:
        if maps.any():
            break
        layer, maps = earlier, maps_of(earlier)
    return {"classes": classes, "layer": layer, "layers": list(spatial), "maps": maps}


def _class_map(subject: Subject, x: NDArray[np.floating], k: int, at: int) -> NDArray[np.floating]:
    watched = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(watched)  # without it nothing would be recorded where nothing before the layer has weights
        outputs = outputs_of(subject, watched)
        score = class_scores(subject, outputs, [k])
    gradient = tape.gradient(score, outputs[at], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    alpha = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    return np.asarray(tf.nn.relu(tf.reduce_sum(alpha * outputs[at], axis=-1))[0])
