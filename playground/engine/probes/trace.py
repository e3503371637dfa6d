"""One pass through a network with everything on the way kept: what comes out of each layer, and its gradients.

All is computed in inference mode: Dropout passes its input on, BatchNormalization uses its moving averages. It runs
eagerly: a question is asked once, and tracing a ``tf.function`` for it takes longer than the pass itself.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.engine.probes.subject import Subject
from playground.errors import SpecError
from playground.spec.probes import Part

Outputs = list[tf.Tensor]
"""The input of a network and then the output of each of its layers, (n, …) each."""


class Derivatives(NamedTuple):
    """Derivatives of one number; None where it does not depend on something."""

    outputs: Outputs
    by_output: list[tf.Tensor | None]
    """With respect to each of ``outputs``; of the last one with respect to what :func:`read_by_loss` says."""
    by_variable: dict[str, tf.Tensor]
    """With respect to the trainable variables it depends on, by their path."""


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that compute something, from first to last."""
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def outputs_of(subject: Subject, x: tf.Tensor) -> Outputs:
    """What the input (n, *input_shape) becomes on its way."""
    return [x, *subject.every_output(x, training=False)]


def read_by_loss(output: tf.Tensor) -> tf.Tensor:
    """What a loss reads of the last layer's output: Keras's cross-entropies take the logits under softmax and sigmoid.

    Computed from the probabilities, a loss would have no gradient where they are rounded to 0 or 1.
    """
    return getattr(output, "_keras_logits", output)


def derive(subject: Subject, x: tf.Tensor, number: Callable[[Outputs], tf.Tensor]) -> Derivatives:
    """Derivatives of a number by automatic differentiation.

    Args:
        subject: the network.
        x: inputs (n, *input_shape).
        number: computes it from the outputs of the layers.
    """
    variables = subject.model.trainable_variables
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = outputs_of(subject, x)
        value = number(outputs)
    by_output = [*outputs[:-1], read_by_loss(outputs[-1])]
    found = tape.gradient(value, [*by_output, *(variable.value for variable in variables)])
    by_variable = zip(variables, found[len(outputs) :], strict=True)
    return Derivatives(
        outputs, found[: len(outputs)], {variable.path: by for variable, by in by_variable if by is not None}
    )


def class_scores(subject: Subject, outputs: Outputs, classes: Sequence[int]) -> tf.Tensor:
    """The score of a class before the output's activation (for softmax its logit), (n,).

    A single output counts for the second of two classes and, negated, for the first. A regression has one score: the
    output before its activation.

    Args:
        subject: the network.
        outputs: of all layers for n inputs.
        classes: whose score is taken of each input, (n,).
    """
    head = layers_of(subject.model)[-1]
    scores = tf.matmul(outputs[-2], head.kernel)
    if head.use_bias:
        scores += head.bias
    if scores.shape[1] == 1:
        has_classes = bool(subject.restored.facts.class_names)
        signs = [-1 if has_classes and not k else 1 for k in classes]
        return scores[:, 0] * tf.constant(signs, scores.dtype)
    return tf.gather(scores, tf.constant(list(classes)), axis=1, batch_dims=1)


def predicted_class(subject: Subject, outputs: Outputs) -> int:
    """The class that the network gives to the first input; 0 for a regression."""
    scores = np.asarray(outputs[-1])[:1]
    if not subject.restored.facts.class_names:
        return 0
    if scores.shape[1] > 1:
        return int(scores.argmax())
    return int(np.asarray(class_scores(subject, outputs, [1] * len(outputs[0])))[0] > 0)


def chosen_classes(subject: Subject, classes: Sequence[int]) -> list[int]:
    """``classes``, if the network knows all of them.

    Raises:
        SpecError: there is no such class.
    """
    known = max(1, len(subject.restored.facts.class_names))
    if wrong := [k for k in classes if k >= known]:
        raise SpecError(
            f"There is no class number {wrong[0]}. Choose one from 0 to {known - 1}." if known > 1 else
            "A regression has one output and no classes. Leave the class out.", "classes"
        )  # fmt: skip
    return list(classes)


def one_input(subject: Subject, part: Part, index: int, inputs: NDArray[np.floating] | None) -> NDArray[np.floating]:
    """The example that a probe looks at, scaled, (1, *input_shape).

    Args:
        subject: the network and its data.
        part: a split.
        index: which of its examples.
        inputs: a given one (1, *input_shape) instead; None: that of the split.

    Raises:
        SpecError: there is no such example, or more than one was given.
    """
    if inputs is not None:
        if len(inputs) != 1:
            raise SpecError(f"This looks at one input at a time and was given {len(inputs)}. Give it a single one.")
        return inputs
    x, _ = subject.part(part)
    if index >= len(x):
        raise SpecError(f"There are {len(x):,} {part} examples. Choose one from 0 to {len(x) - 1:,}.", "index")
    return x[index : index + 1]
