"""What callbacks cost a training: the same loop with and without them, turn by turn in one run."""

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from playground.engine.course import Course, Leg
from playground.engine.steering import Ground, Steer
from playground.engine.training import Callback, Loop, Schedule
from playground.engine.training.reporting import Reporter
from playground.store import Store


class Turns(Callback):
    """Lets other callbacks work every other turn. The first turns, in which things compile, do not count.

    Args:
        watched: whose cost is measured.
        seconds: length of a turn.
        rounds: turns with them.
    """

    def __init__(self, watched: Sequence[Callback], seconds: float, rounds: int) -> None:
        self._watched, self._seconds, self._rounds = watched, seconds, rounds
        self._is_on, self._began, self._step = True, 0.0, 0
        self._steps_per_second: list[float] = []

    def _tell(self, moment: str, loop: Loop) -> None:
        for callback in self._watched:
            getattr(callback, moment)(loop)

    def on_train_begin(self, loop: Loop) -> None:
        self._tell("on_train_begin", loop)
        self._began = time.perf_counter()

    def on_stretch_end(self, loop: Loop) -> None:
        if self._is_on:
            self._tell("on_stretch_end", loop)

    def on_decision(self, loop: Loop) -> None:
        if self._is_on:
            self._tell("on_decision", loop)

    def on_rest(self, loop: Loop) -> None:
        if self._is_on and loop.step:
            self._tell("on_rest", loop)
        now = time.perf_counter()
        if now - self._began > self._seconds:
            self._steps_per_second.append((loop.step - self._step) / (now - self._began))
            self._is_on, self._began, self._step = not self._is_on, now, loop.step
            loop.stop_training = len(self._steps_per_second) > 2 * self._rounds + 1

    def on_train_end(self, loop: Loop) -> None:
        self._tell("on_train_end", loop)

    @property
    def costs(self) -> list[float]:
        """The share of the speed that is missing in each turn with them, beside the turns before and after it."""
        rates = self._steps_per_second
        return [
            1 - watched / statistics.mean((before, after))
            for before, watched, after in zip(rates[1::2], rates[2::2], rates[3::2], strict=False)
        ]

    def as_found(self, batch_size: int, bar: float) -> Mapping[str, Any]:
        """The share of the throughput that they cost: the median of the turns, and two standard errors of it."""
        costs = self.costs
        low, cost, high = statistics.quantiles(costs, n=4, method="inclusive")
        # Of normal noise with outliers: sigma = 0.741 interquartile ranges, and a median's is 1.253 of a mean's.
        error = 1.253 * 0.741 * (high - low) / math.sqrt(len(costs))
        without, watched = (statistics.median(self._steps_per_second[first::2]) * batch_size for first in (1, 2))
        return {
            "cost": round(cost, 4),
            "give_or_take": round(2 * error, 4),
            "met": cost <= bar,
            "examples_per_second": [round(without), round(watched)],
        }


def steering(store: Store, run_id: str, lease: str, reporter: Reporter, schedule: Schedule) -> Steer:
    """The callback that obeys people, for a run to which nobody gives orders."""

    def nothing(*given: Any) -> Any:
        raise RuntimeError("Nobody gives orders to this run.")

    course = Course(schedule.epochs, (Leg(0, 0, schedule.batch_size),))
    ground = Ground(schedule.examples, {}, nothing, nothing, nothing, nothing)
    return Steer(store, run_id, lease, reporter, course, ground)
