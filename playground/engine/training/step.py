"""Where a step is not quite Keras's own: gradient descent on all the data at once, and what helps XLA."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import keras
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

MICRO_BATCH = 4096


def full_batch_step(model: keras.Model, data: Any, examples: int) -> None:
    """One step of gradient descent proper: the gradient of the loss over all examples.

    Large data goes through in micro-batches whose gradients are summed, each weighted by its share of the examples, so
    the step equals one on the whole (Keras's losses are means over a batch). Batch normalization alone sees the
    micro-batches.
    """
    if examples <= MICRO_BATCH:
        model.train_step(data)
        return
    parts = math.ceil(examples / MICRO_BATCH)
    size = math.ceil(examples / parts)
    variables = model.trainable_variables

    def gradients(start: Any, count: int) -> list[tf.Tensor]:
        rows = tf.range(count) + start
        x, y, weight = keras.utils.unpack_x_y_sample_weight(
            tf.nest.map_structure(lambda array: tf.gather(array, rows), data)
        )
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = model.compute_loss(x, y, outputs, weight, training=True)
            # The tracker that train_step feeds as well: the mean over the examples.
            model._loss_tracker.update_state(loss, sample_weight=count)
            share = model.optimizer.scale_loss(loss) * (count / examples)
        model.compute_metrics(x, y, outputs, weight)
        return [
            tf.zeros_like(v.value) if g is None else tf.convert_to_tensor(g)
            for g, v in zip(tape.gradient(share, [v.value for v in variables]), variables, strict=True)
        ]

    whole = parts - 1
    rest = gradients(whole * size, examples - whole * size)
    _, total = tf.while_loop(
        lambda part, _: part < whole,
        lambda part, total: (part + 1, [a + b for a, b in zip(total, gradients(part * size, size), strict=True)]),
        (tf.constant(0), rest),
    )
    model.optimizer.apply_gradients(zip(total, variables, strict=True))


@contextmanager
def fast_dropout(model: keras.Model) -> Iterator[None]:
    """While XLA traces the model, let Dropout draw from ThreeFry, which XLA compiles well.

    Keras leaves the generator to TensorFlow, whose choice costs 466 µs for 32×128 values under XLA on a CPU; ThreeFry
    (Salmon et al., 2011) costs 12 µs. The distribution is the same, the numbers are others. Only the thread that
    enters is affected: another may be tracing the plain variant of the same model.
    """
    tracer = get_ident()

    def call_of(layer: keras.layers.Dropout) -> Any:
        def call(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
            if get_ident() != tracer or not training or layer.rate == 0:
                return type(layer).call(layer, inputs, training=training)
            return tf.nn.experimental.stateless_dropout(
                inputs,
                rate=layer.rate,
                seed=tf.cast(layer.seed_generator.next(), tf.int32),
                noise_shape=layer.noise_shape,
                rng_alg="threefry",
            )

        return call

    layers = [
        layer
        for layer in model._flatten_layers()
        if type(layer) is keras.layers.Dropout and None not in (layer.noise_shape or ())
    ]
    for layer in layers:
        layer.call = call_of(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


@contextmanager
def fused_update(optimizer: keras.Optimizer) -> Iterator[list[ConcreteFunction]]:
    """While a step is traced, let XLA compile the optimizer's update, as ``jit_compile`` did in Keras 2.

    Adam's dozen operations each go over all the weights; in one piece they are gone over once. Convolutions keep their
    own kernels, which on a CPU are several times faster than XLA's. Only the thread that enters is affected.

    Yields:
        the updates that were traced, for :func:`rehearse`: XLA compiles each when it first runs.
    """
    tracer = get_ident()
    updates: list[ConcreteFunction] = []

    def apply(gradients: Sequence[tf.Tensor | None], variables: Sequence[keras.Variable] | None = None) -> None:
        def update(gradients: Sequence[tf.Tensor | None]) -> None:
            type(optimizer).apply(optimizer, gradients, variables)

        # Keras leaves out what has no gradient, and warns: not in a compiled function's arguments.
        if get_ident() != tracer or any(gradient is None for gradient in gradients):
            update(gradients)
        else:
            updates.append(tf.function(update, autograph=False, jit_compile=True).get_concrete_function(gradients))
            updates[-1](*gradients)

    optimizer.apply = apply
    try:
        yield updates
    finally:
        del optimizer.apply


def rehearse(update: ConcreteFunction) -> None:
    """Run a function on zeros and on variables that are like its own: XLA compiles it, and nothing else changes.

    It does so inside another function, as in training: what is compiled for a call from Python is kept apart.
    """
    twins = {id(own.handle): tf.Variable(tf.zeros(own.shape, own.dtype)) for own in update.variables}
    captured = [twins[id(one)].handle if id(one) in twins else one for one in update.captured_inputs]
    given = update.inputs[: len(update.inputs) - len(captured)]
    run = tf.function(
        lambda: update._call_flat([tf.zeros(one.shape, one.dtype) for one in given], captured), autograph=False
    )
    run()
