"""The numbers of one moment of a training, in one compiled call that leaves every variable as it was.

Gradient, update, weights and outputs are those on a fixed probe batch. The network runs in inference mode (Dropout off,
batch normalization with its moving averages): nothing random is drawn and two moments can be compared.
"""

from collections.abc import Sequence
from threading import Thread
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from playground.engine.probes.trace import layers_of, read_by_loss
from playground.evaluation.health import Moment, histograms

SAMPLE = 2048
"""Values of a variable that go into its histograms, evenly spaced where there are more."""
FLAT = 0.97
"""A value of tanh beyond ±FLAT is saturated: the slope there, 1 − 0.97², is below 6 % of the largest."""

_SATURATED: dict[str, Any] = {
    "tanh": lambda a: tf.abs(a) > FLAT,
    "softsign": lambda a: tf.abs(a) > 1 - (1 - FLAT**2) ** 0.5,  # its slope is (1 − |a|)²
    "sigmoid": lambda a: tf.abs(2 * a - 1) > FLAT,  # sigmoid(x) = (1 + tanh(x / 2)) / 2
    "hard_sigmoid": lambda a: (a <= 0) | (a >= 1),
}
"""Where an activation is flat, from its outputs."""
_RECTIFIED = ("relu", "relu6")
"""Activations with which a unit that is 0 for all examples gets no gradient from any."""


def activation_of(layer: keras.layers.Layer) -> str:
    """Keras's name of a layer's activation; "" for a layer without one."""
    activation = getattr(layer, "activation", None)
    return "" if activation is None else getattr(activation, "__name__", type(activation).__name__)


class Meter:
    """Measures a compiled model. One for all trainings that share a program.

    Args:
        model: compiled and built, in the seat of the training to be measured whenever :meth:`measure` is called.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self.layers = layers_of(model)
        # Also of frozen layers: their gradient is there to see, and all stages of a run have the same columns.
        self.variables = [
            v for layer in self.layers for part in layer._flatten_layers() for v in part._trainable_variables
        ]
        self._outputs = keras.Model(model.inputs, [layer.output for layer in self.layers])
        self._numbers = tf.function(self._measured, autograph=False)
        self._tracing: Thread | None = None

    def prepare(self, x: tf.Tensor, y: tf.Tensor) -> None:
        """Begin to trace and plan the function beside whatever runs, which need not wait: each takes a second.

        A call that measures nothing does it, and touches no variable.
        """
        if self._tracing is None:
            nothing = tf.constant(False)
            self._tracing = Thread(target=self._numbers, args=(x, y, nothing), name="trace-meter", daemon=True)
            self._tracing.start()

    @property
    def is_ready(self) -> bool:
        """Whether :meth:`measure` answers at once."""
        return self._tracing is not None and not self._tracing.is_alive()

    def measure(self, x: tf.Tensor, y: tf.Tensor, step: int, epoch: float, *, with_histograms: bool = True) -> Moment:
        """The numbers of the present weights on a batch; waits for :meth:`prepare` if need be."""
        if self._tracing is not None:
            self._tracing.join()
        loss, layers, variables, samples = self._numbers(x, y, tf.constant(True))
        counts = edges = None
        if with_histograms:
            counts, edges = histograms([[values.numpy() for values in row] for row in samples])
        return Moment(step, epoch, float(loss), layers.numpy(), variables.numpy(), counts, edges)

    def _measured(self, x: tf.Tensor, y: tf.Tensor, really: tf.Tensor) -> Any:
        """What :meth:`_measure` gives; zeros where it is not ``really`` asked for."""
        measure = tf.function(self._measure, autograph=False).get_concrete_function(x, y)

        def nothing() -> Any:
            return tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), measure.structured_outputs)

        return tf.cond(really, lambda: measure(x, y), nothing)

    def _measure(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[list[tf.Tensor]]]:
        weights = [tf.convert_to_tensor(variable.value) for variable in self.variables]
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(self._outputs(x, training=False))
            loss = self._model.loss(y, outputs[-1]) + sum(self._model.losses)
        sources = [*(variable.value for variable in self.variables), *outputs[:-1], read_by_loss(outputs[-1])]
        found = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        gradients, backward = [tf.convert_to_tensor(g) for g in found[: len(weights)]], found[len(weights) :]
        parts = list(zip(gradients, self._updates(gradients), weights, strict=True))
        layers = [
            _of_layer(activation_of(layer), a, gradient)
            for layer, a, gradient in zip(self.layers, outputs, backward, strict=True)
        ]
        samples = [[_sample(values) for values in part] for part in parts]
        return loss, tf.stack(layers), tf.stack([_of_variable(*part) for part in parts]), samples

    def _updates(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """What one step of the optimizer would add to each weight: it is made, looked at and taken back.

        The step is the real one, with the optimizer's moments, clipping and decay as they are. The difference of the
        weights over many steps is not: steps that point to and fro would cancel.
        """
        optimizer = self._model.optimizer
        touched = [*self.variables, *optimizer.variables]
        before = [tf.identity(variable.value) for variable in touched]
        # Float16: the optimizer divides by the factor with which it scales the loss.
        learning = [(optimizer.scale_loss(g), v) for g, v in zip(gradients, self.variables, strict=True) if v.trainable]
        optimizer.apply_gradients(learning)
        updates = [
            variable.value - value
            for variable, value in zip(self.variables, before[: len(self.variables)], strict=True)
        ]
        for variable, value in zip(touched, before, strict=True):
            variable.value.assign(value)
        return updates


def _of_variable(gradient: tf.Tensor, update: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """``VARIABLE_COLUMNS`` of one variable."""
    ratio = tf.math.log(tf.reduce_mean(tf.abs(update)) / tf.reduce_mean(tf.abs(weight))) / np.log(10)
    return tf.stack([tf.norm(gradient), tf.norm(weight), tf.math.reduce_std(weight), ratio])


def _of_layer(activation: str, a: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """``LAYER_COLUMNS`` of the outputs (examples, …, units) of one layer and the loss's gradient by them."""

    a, gradient = tf.cast(a, tf.float32), tf.cast(gradient, tf.float32)  # in mixed precision they have 16 bits

    def share(where: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.cast(where, a.dtype))

    nothing = tf.constant(np.nan, a.dtype)
    is_zero = a == 0
    dead = share(tf.reduce_all(is_zero, axis=range(a.shape.rank - 1))) if activation in _RECTIFIED else nothing
    saturated = share(_SATURATED[activation](a)) if activation in _SATURATED else nothing
    slope = tf.sqrt(tf.reduce_mean(tf.square(gradient)))
    return tf.stack([tf.reduce_mean(a), tf.math.reduce_std(a), share(is_zero), dead, saturated, slope])


def _sample(values: tf.Tensor) -> tf.Tensor:
    flat = tf.reshape(values, [-1])
    return flat[:: -(-flat.shape[0] // SAMPLE)]
