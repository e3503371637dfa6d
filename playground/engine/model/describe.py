"""Experiment -> a table of what Keras makes of it: shapes, parameters, FLOPs, memory; or the error and its layer."""

import math
from concurrent.futures import Future
from threading import Thread

import keras

from playground.engine.model.build import build_model, keras_optimizer
from playground.errors import LayerError, SpecError
from playground.records import Description, LayerRow
from playground.spec import DataFacts, Experiment, check

FLOAT = 4
"""Bytes of a float32."""


def describe(experiment: Experiment, facts: DataFacts, memory_limit: int) -> Description:
    """What Keras makes of the network; no weight is allocated, so an absurdly large one is described as fast.

    A network that would need more than ``memory_limit`` bytes while training is an error of the description.
    """
    try:
        check(experiment, facts)
    except LayerError as error:
        return Description(error=str(error), error_index=error.index, error_where=error.where)
    except SpecError as error:
        return Description(error=str(error), error_where=error.where)
    answer: Future[Description] = Future()

    def answer_in_a_thread_of_its_own() -> None:
        # A stateless scope leaves its variables pending in Keras's thread-local state, and the next scope would
        # allocate them; with the thread they are gone.
        try:
            answer.set_result(_describe(experiment, facts, memory_limit))
        except BaseException as error:  # handed to the caller, whatever it is
            answer.set_exception(error)

    thread = Thread(target=answer_in_a_thread_of_its_own, name="describe")
    thread.start()
    thread.join()
    return answer.result()


def _describe(experiment: Experiment, facts: DataFacts, memory_limit: int) -> Description:
    with keras.StatelessScope(initialize_variables=False):
        try:
            model = build_model(experiment, facts)
        except LayerError as error:
            return Description(error=str(error), error_index=error.index, error_where=error.where)
    rows = tuple(
        LayerRow(
            id=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(layer.output.shape[1:]),
            parameters=layer.count_params(),
            trainable=sum(math.prod(v.shape) for v in layer.trainable_variables),
            flops=_flops(layer),
            bytes=FLOAT * math.prod(layer.output.shape[1:]),
        )
        for layer in model.layers[1:]
    )
    parameters, trainable = sum(r.parameters for r in rows), sum(r.trainable for r in rows)
    copies = _copies(experiment)
    memory = _memory(experiment, facts, rows, copies)
    description = Description(rows, parameters, trainable, sum(r.flops for r in rows), memory)
    if memory <= memory_limit:
        return description
    largest = max(range(len(rows)), key=lambda i: rows[i].parameters * copies * FLOAT + rows[i].bytes)
    return Description(
        rows, parameters, trainable, description.flops, memory,
        error=f"This network has {parameters:,} parameters and would need {memory / 1e9:,.1f} GB to train; the limit "
        f"here is {memory_limit / 1e9:,.1f} GB. Make layer {largest + 1} ({rows[largest].kind}) smaller.",
        error_index=largest if largest < len(rows) - 1 else -1,
        error_where=f"model.layers.{largest}",
    )  # fmt: skip


def _copies(experiment: Experiment) -> int:
    """Copies of each weight while training: itself, its gradient, and the optimizer's slots."""
    optimizer = keras_optimizer(experiment)
    # Float16 has its optimizer inside one that scales the loss, with two numbers of its own.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    optimizer.build([keras.Variable(0.0)])
    return 2 + len(optimizer.variables) - 2  # iterations and learning rate are not slots


def _memory(experiment: Experiment, facts: DataFacts, rows: tuple[LayerRow, ...], copies: int) -> int:
    """Bytes while training: all copies of the weights, and the activations of one batch with their gradients."""
    batch = experiment.training.batch_size
    examples = min(facts.train, 4096) if batch == "full" else batch
    weights = FLOAT * sum(r.trainable * copies + (r.parameters - r.trainable) for r in rows)
    activations = 2 * examples * (FLOAT * math.prod(facts.input_shape) + sum(r.bytes for r in rows))
    return weights + activations


def _flops(layer: keras.layers.Layer) -> int:
    """Floating point operations of one example, forward; a multiply-add counts 2 (Keras has no such count)."""
    outputs = math.prod(layer.output.shape[1:])
    match type(layer).__name__:
        case "Dense" | "Conv2D":
            # Every output is a dot product with one column of the kernel.
            *window, _ = layer.kernel.shape
            return outputs * (2 * math.prod(window) + int(layer.use_bias))
        case "MaxPooling2D" | "AveragePooling2D":
            return outputs * math.prod(layer.pool_size)
        case "GlobalAveragePooling2D":
            return math.prod(layer.input.shape[1:])
        case "BatchNormalization":
            return 2 * outputs  # one factor and one offset a value, once the statistics are folded
        case "Activation":
            return outputs
    return 0
