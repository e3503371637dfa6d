"""When things happen in a training: steps, epochs, and the fixed steps at which decisions fall. Pure arithmetic."""

import math
from dataclasses import dataclass

import numpy as np

STEPS_PER_DECISION = 1000
DECISIONS_AT_LEAST = 50


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of a training of ``examples`` in batches of ``batch_size`` for ``epochs``.

    Decisions (validation, stop rules, history) fall at steps that follow from the experiment alone, never from speed:
    after every epoch, or, where epochs are short, after the fewest whole epochs that make 1,000 steps — but at least
    fifty times in a training, so that a short one has a curve too.
    """

    examples: int
    batch_size: int
    epochs: int
    first_step: int = 0
    first_epoch: int = 0
    """Where it begins, if batches had another size before: at the start of this epoch, after so many steps."""

    @property
    def steps_per_epoch(self) -> int:
        """The last batch of an epoch may be smaller, as in Keras."""
        return math.ceil(self.examples / self.batch_size)

    @property
    def total_steps(self) -> int:
        return self.step_of(self.epochs)

    def step_of(self, epoch: int) -> int:
        """Steps done when so many epochs are."""
        return self.first_step + (epoch - self.first_epoch) * self.steps_per_epoch

    def epoch_of(self, step: int) -> float:
        """Epochs seen after so many steps, as a fraction."""
        return self.first_epoch + (step - self.first_step) / self.steps_per_epoch

    @property
    def every(self) -> int:
        """Epochs between decisions."""
        wanted = math.ceil(STEPS_PER_DECISION / self.steps_per_epoch)
        return max(1, min(wanted, self.epochs // DECISIONS_AT_LEAST))

    def period(self, step: int) -> tuple[int, int]:
        """First and last-plus-one epoch of the span between two decisions in which ``step`` lies."""
        passed = (step - self.first_step) // self.steps_per_epoch // self.every * self.every
        first = self.first_epoch + passed
        return first, min(first + self.every, self.epochs)

    def orders(self, first_epoch: int, seed: int, shuffle: bool) -> np.ndarray:
        """Order of the examples in each epoch of a period: int32 (every, examples).

        Each epoch's permutation follows from (seed, epoch) alone, so a resumed training sees the same batches.
        """
        if not shuffle:
            return np.tile(np.arange(self.examples, dtype=np.int32), (self.every, 1))
        epochs = range(first_epoch, first_epoch + self.every)
        rows = [np.random.default_rng((seed, epoch)).permutation(self.examples) for epoch in epochs]
        return np.asarray(rows, np.int32)
