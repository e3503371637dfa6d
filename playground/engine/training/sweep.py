"""The sweep of the learning-rate finder: the loss of each step, while the rate grows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.training.loop import Loop
from playground.engine.training.stopping import Stopper
from playground.evaluation.rate_finder import has_diverged
from playground.spec.schedules import RangeTest


class Sweep(Stopper):
    """Notes rate and loss of every step, and ends the training where the loss diverges or the last rate was tried.

    Args:
        schedule: of the training.
        learning_rate: its optimizer's, the lowest of the sweep.
        write: keeps ``rates`` and ``losses``, both float64 (n,).
    """

    def __init__(
        self, schedule: RangeTest, learning_rate: float, write: Callable[[dict[str, NDArray[Any]]], None]
    ) -> None:
        self._rates = learning_rate * schedule.factors(np.arange(schedule.steps), schedule.steps, 1)
        self._write = write
        self._losses: list[float] = []

    def on_train_begin(self, loop: Loop) -> None:
        loop.halts |= set(range(loop.step + 1, loop.step + len(self._rates) + 1))  # every step is a stretch of its own

    def on_stretch_end(self, loop: Loop) -> None:
        if loop.failure:  # a loss that is no number is one of the answers that are looked for
            self._losses.append(np.nan)
            loop.failure = ""
        else:
            self._losses.append(loop.values["loss"])
        tried = len(self._losses)
        if tried >= len(self._rates):
            self._end(loop, f"All {tried} rates were tried.")
        elif has_diverged(self._losses):
            self._end(loop, f"The loss diverged at a learning rate of {self._rates[tried - 1]:.2g}.")

    def _end(self, loop: Loop, reason: str) -> None:
        loop.stop_training, self.reason = True, reason

    def on_jump(self, loop: Loop) -> None:
        del self._losses[loop.step :]

    def on_train_end(self, loop: Loop) -> None:
        tried = len(self._losses)
        self._write({"rates": self._rates[:tried], "losses": np.array(self._losses)})

    def state(self) -> dict[str, Any]:
        return {"losses": self._losses}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._losses = list(state["losses"])
