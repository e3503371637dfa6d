"""Moving averages of the weights: what is judged and kept of a training whose optimizer has them (``use_ema``)."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf


class Averages:
    """The weights of a model and their moving averages, which Keras's optimizer updates at every step.

    Keras's ``fit`` validates with the weights as they are, and puts the averages in their place once it is over. Here
    they are in place wherever the network is judged, looked at or kept, and nowhere else: the training goes on from the
    weights as they are, also one that was stopped and resumed.

    Args:
        optimizer: built on all weights that may ever learn.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer) -> None:
        # Float16 has its optimizer inside one that scales the loss.
        self._optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        averages = self._optimizer._model_variables_moving_average if self._optimizer.use_ema else []
        # An optimizer is built on all variables, also on those that are frozen by now.
        self._pairs = list(zip(self._optimizer._trainable_variables[: len(averages)], averages, strict=True))

    @property
    def _known(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Each weight with its average: none before the first step, when the averages are still zeros."""
        return self._pairs if self._pairs and int(self._optimizer.iterations) else []

    def places(self, variables: list[keras.Variable]) -> dict[int, int]:
        """At which place of ``variables`` the average of the weight at another place lies."""
        place = {id(variable): number for number, variable in enumerate(variables)}
        return {place[id(weight)]: place[id(average)] for weight, average in self._known}

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While inside, the weights are their averages."""
        before = [(weight, tf.convert_to_tensor(weight.value)) for weight, _ in self._known]
        for weight, average in self._known:
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in before:
                weight.assign(value)

    def follow(self) -> None:
        """Let the averages be the weights as they are."""
        for weight, average in self._known:
            average.assign(weight)
