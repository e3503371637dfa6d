"""The learning rate of a training: its optimizer's own, or one for each step from a table that is made beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from playground.engine.training.schedule import Schedule
from playground.engine.training.source import Window

Factors = Callable[[NDArray[np.int64], int, int], NDArray[np.float64]]
"""(steps, total steps, steps per epoch) -> the factor on the learning rate at each of the steps."""


@dataclass
class LearningRate:
    """base · scale · factor(step).

    A schedule is a function of the step alone, so the rates of a window are handed to the compiled function as a table:
    what is drawn before a training is what it uses, and no schedule has to be compiled.
    """

    base: float
    """What the optimizer was given; another one in another stage."""
    factors: Factors | None = None
    """The schedule; None for a constant."""
    scale: float = 1.0
    """What people and plateaus have made of it since."""

    def at(self, step: int, schedule: Schedule) -> float:
        """The learning rate of a step."""
        return float(self._table(np.asarray([step]), schedule)[0])

    def of_window(self, window: Window, sizes: Schedule, schedule: Schedule) -> tf.Tensor | None:
        """The rates of a window's steps, float32, as long for every window of these sizes; None for a constant."""
        if self.factors is None:
            return None
        steps = np.arange(window.start, window.start + sizes.every * sizes.steps_per_epoch)
        return tf.constant(self._table(steps, schedule), tf.float32)

    def _table(self, steps: NDArray[np.int64], schedule: Schedule) -> NDArray[np.float64]:
        factors = np.ones(len(steps))
        if self.factors is not None:
            # Epochs are what schedules are made of: where batches had another size before, steps count as if not.
            length = schedule.steps_per_epoch
            factors = self.factors(steps - schedule.step_of(0), schedule.epochs * length, length)
        return self.base * self.scale * factors
