"""The compiled heart: many steps of Keras's own ``train_step`` inside one function, in three variants.

``model.fit`` pays about 2 ms of Python for every step; small networks spend most of their time there. Here the data
stays on the device and one call runs as many steps as 0.15 s hold. Losses, metrics, regularizers,
optimizers and frozen layers are Keras's, because every step is Keras's ``model.train_step``.
"""

import math
from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import keras
import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from playground.engine.training.averages import Averages
from playground.engine.training.compilation import Compilation
from playground.engine.training.schedule import Schedule
from playground.engine.training.source import Window
from playground.engine.training.step import fast_dropout, full_batch_step, fused_update, rehearse
from playground.engine.training.xla import prefer_small

if TYPE_CHECKING:
    from playground.engine.training.learner import Learner

prefer_small()

Variant = Literal["plain", "fused", "xla"]
"""TensorFlow's own kernels; the same but for the optimizer's update, which XLA compiles; all of it compiled by XLA."""
Values = list[tf.Tensor]
"""The values of all of a model's variables, by position."""
Extra = TypeVar("Extra")


class Packed(NamedTuple):
    """The values of all of a model's variables, one vector of each dtype."""

    vectors: tuple[tf.Tensor, ...]


EVALUATION_BATCH = 1024


def variables_of(model: keras.Model) -> list[keras.Variable]:
    """All that a training changes: weights, seeds of random layers, optimizer, metrics. Never by name: by position."""
    every = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return list({id(variable): variable for variable in every}.values())


def build_all(model: keras.Model, data: Any) -> None:
    """Create every variable that training needs, without a real step, which would change weights and seeds."""
    model._symbolic_build(data_batch=tf.nest.map_structure(lambda array: array[:1], data))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


class Program:
    """One architecture's compiled functions. Several trainings may share it: see :class:`Learner`.

    Args:
        model: compiled (``model.compile``) and built (:func:`build_all`).
        schedule: sizes of data and batches; they are part of what is compiled.
    """

    def __init__(self, model: keras.Model, schedule: Schedule) -> None:
        self.model = model
        self.schedule = schedule
        self.variables = variables_of(model)
        self.lock = RLock()
        self.seated: Learner | None = None
        self.rates: dict[Variant, float] = {}
        """Steps a second that each variant has reached, at its best."""
        self._compilations: dict[Variant, Compilation] = {}
        self._expects = False
        self._updates: list[ConcreteFunction] = []
        self._functions: dict[Variant, Any] = {
            "plain": tf.function(self._run, autograph=False),
            "fused": tf.function(self._run_fused, autograph=False),
            "xla": tf.function(self._run_xla, autograph=False, jit_compile=True),
        }
        self._test = tf.function(model.test_step, autograph=False)
        self._predict = tf.function(lambda x: model(x, training=False), autograph=False)
        self._read = tf.function(self._metrics, autograph=False)
        self._reset = tf.function(model.reset_metrics, autograph=False)
        self._finite = tf.function(self._all_finite, autograph=False)
        self._present = tf.function(
            lambda: [tf.identity(variable.value) for variable in self.variables], autograph=False
        )
        self._exchange = tf.function(self._exchanged, autograph=False)
        self._means = _mean_metrics(model)
        self.averages = Averages(model.optimizer)
        self._extras: dict[str, Any] = {}

    def extra(self, name: str, make: Callable[[keras.Model], Extra]) -> Extra:
        """What a callback compiles for this model, made once for all who share the program. Ask from a seat."""
        if name not in self._extras:
            self._extras[name] = make(self.model)
        extra: Extra = self._extras[name]
        return extra

    # Training

    def run(self, variant: Variant, window: Window, first: int, last: int) -> None:
        """Run the steps first ≤ step < last of a training, which lie in ``window``."""
        steps = tf.constant(first - window.start), tf.constant(last - window.start)
        self._functions[variant](window.data, window.orders, window.rates, *steps)

    def _run(self, data: Any, orders: tf.Tensor, rates: tf.Tensor | None, first: tf.Tensor, last: tf.Tensor) -> None:
        size, per_epoch = self.schedule.batch_size, self.schedule.steps_per_epoch
        full, tail = divmod(self.schedule.examples, size)

        def set_rate(number: tf.Tensor) -> None:
            if rates is not None:
                self.model.optimizer.learning_rate.assign(rates[number])

        def step(number: tf.Tensor, examples: int) -> tf.Tensor:
            set_rate(number)
            row, column = number // per_epoch, number % per_epoch
            chosen = tf.reshape(tf.slice(orders, [row, column * size], [1, examples]), [examples])
            self.model.train_step(tf.nest.map_structure(lambda array: tf.gather(array, chosen), data))
            return number + 1

        def whole_data(number: tf.Tensor) -> tf.Tensor:
            set_rate(number)
            full_batch_step(self.model, data, self.schedule.examples)
            return number + 1

        def epoch(number: tf.Tensor) -> tf.Tensor:
            # The last, smaller batch is a trace of its own; padding it would change losses and statistics.
            start = number // per_epoch * per_epoch
            number = _repeat(lambda n: step(n, size), number, tf.minimum(last, start + full))
            return tf.cond(number < tf.minimum(last, start + per_epoch), lambda: step(number, tail), lambda: number)

        if full == 1 and not tail:
            _repeat(whole_data, first, last)
        elif not tail:
            _repeat(lambda n: step(n, size), first, last)
        else:
            _repeat(epoch, first, last)

    def _run_xla(self, *given: Any) -> None:
        with fast_dropout(self.model):
            self._run(*given)

    def _run_fused(self, *given: Any) -> None:
        with fused_update(self.model.optimizer) as self._updates:
            self._run(*given)

    def compile(self, variant: Variant, window: Window) -> None:
        """Start compiling a variant (tracing, for the plain one) beside whatever runs, if that was not done yet."""
        if variant not in self._compilations:
            start = window.start

            def compiles() -> None:
                self.run(variant, window, start, start)  # no steps: it changes no variable
                if variant == "fused":
                    for update in self._updates:
                        rehearse(update)

            self._compilations[variant] = Compilation(compiles)

    def compilation(self, variant: Variant) -> Compilation | None:
        """How far a variant is that somebody asked for."""
        return self._compilations.get(variant)

    @property
    def is_compiling(self) -> bool:
        return any(compilation.is_running for compilation in self._compilations.values())

    # Judging

    def expect(self, batches: Sequence[Any]) -> None:
        """Trace ``test_step`` for batches that :meth:`evaluate` is going to see; once, however often it is asked.

        Left to the first evaluation, the trace may meet the compiler's own and then take half a second, not a tenth.
        """
        if not self._expects:
            self._expects = True
            for batch in (*batches[:1], *batches[1:][-1:]):  # the last may be smaller
                self._test.get_concrete_function(batch)

    def evaluate(self, batches: Sequence[Any]) -> None:
        """Let Keras's ``test_step`` see the batches; the metrics then hold their result."""
        with self.averages.in_place():
            for batch in batches:
                self._test(batch)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Outputs of the network in inference mode, float32 (n, units)."""
        starts = range(0, len(x), EVALUATION_BATCH)
        with self.averages.in_place():
            return np.concatenate([self._predict(x[at : at + EVALUATION_BATCH]).numpy() for at in starts])

    # Metrics and values

    def _metrics(self) -> tuple[dict[str, tf.Tensor], dict[str, tuple[tf.Tensor, tf.Tensor]]]:
        sums = {name: (tf.identity(m.total), tf.identity(m.count)) for name, m in self._means.items()}
        return self.model.get_metrics_result(), sums

    def metrics(self) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
        """Keras's metrics since their reset (the mean of one that is a vector), and (total, count) of the means."""
        results, sums = self._read()
        return (
            {name: float(np.mean(value)) for name, value in results.items()},
            {name: (float(total), float(count)) for name, (total, count) in sums.items()},
        )

    def reset_metrics(self) -> None:
        """Keras's ``reset_metrics`` in one call; one for each of their variables takes a millisecond and more."""
        self._reset()

    def _all_finite(self) -> tf.Tensor:
        floats = [v.value for v in self.model.trainable_variables if v.dtype.startswith(("float", "bfloat"))]
        return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in floats])

    def is_finite(self) -> bool:
        """Whether every trainable weight is a number."""
        return bool(self._finite())

    def values(self) -> Values:
        """The present values of all variables. Tensors do not change: TensorFlow copies a buffer somebody holds."""
        return list(self._present())

    def weights(self) -> Values:
        """The present weights of the model as they are judged and kept: their averages, where there are such."""
        with self.averages.in_place():
            return self.values()[: len(self.model.variables)]

    def assign(self, values: Sequence[Any]) -> None:
        """Set all variables.

        Raises:
            ValueError: number or shapes differ.
        """
        if len(values) != len(self.variables):
            raise ValueError(f"{len(values)} values for {len(self.variables)} variables.")
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    # Changing places

    def pack(self, values: Sequence[Any]) -> Packed:
        """Values as one vector of each dtype: a single call takes them in, where one of each variable costs 3 ms."""
        return Packed(
            tuple(
                tf.concat([tf.reshape(tf.convert_to_tensor(values[place]), [-1]) for place in places], 0)
                for places in self._places()
            )
        )

    def exchange(self, packed: Packed) -> Packed:
        """Put packed values in the place of the present ones, which are given back."""
        return Packed(tuple(self._exchange(packed.vectors)))

    def _places(self) -> list[list[int]]:
        """Places of the variables, those of one dtype together."""
        found: dict[str, list[int]] = {}
        for place, variable in enumerate(self.variables):
            found.setdefault(variable.dtype, []).append(place)
        return list(found.values())

    def _exchanged(self, vectors: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
        before = self.pack([variable.value for variable in self.variables]).vectors
        with tf.control_dependencies(before):
            for vector, places in zip(vectors, self._places(), strict=True):
                parts = tf.split(vector, [math.prod(self.variables[place].shape) for place in places])
                for place, part in zip(places, parts, strict=True):
                    self.variables[place].assign(tf.reshape(part, self.variables[place].shape))
        return before


def _repeat(step: Any, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """Run ``number = step(number)`` while number < last."""
    return tf.while_loop(lambda number: number < last, lambda number: [step(number)], [first])[0]


def _mean_metrics(model: keras.Model) -> dict[str, keras.metrics.Mean]:
    """The model's metrics that are means, by the name under which Keras reports them."""
    compiled = model._compile_metrics.metrics if model._compile_metrics is not None else []
    return {m.name: m for m in [model._loss_tracker, *compiled] if isinstance(m, keras.metrics.Mean)}


def batches_of(arrays: Any, size: int = EVALUATION_BATCH) -> list[Any]:
    """Arrays cut into batches on the device, as :meth:`Program.evaluate` takes them."""
    examples = len(tf.nest.flatten(arrays)[0])
    return [
        tf.nest.map_structure(lambda array, at=at: tf.convert_to_tensor(array[at : at + size]), arrays)
        for at in range(0, examples, size)
    ]
