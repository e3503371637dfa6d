"""Stop rules at work: each ends a training before its last epoch, and says why. See ``spec/stopping.py``."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from playground.engine.training.callback import Callback
from playground.engine.training.loop import Loop
from playground.records import Point
from playground.spec import Training
from playground.spec.metrics import rises, score_in_words
from playground.spec.stopping import EarlyStopping, StopAtScore, StopRule, TimeLimit


class Stopper(Callback):
    """A stop rule. ``reason`` says in one sentence which rule ended the training, when and with which numbers."""

    reason = ""

    def end(self, loop: Loop, why: str) -> None:
        """Let the training end after this stretch."""
        loop.stop_training = True
        self.reason = f"Stopped after epoch {in_words(loop.epoch)}: {why}"


class Best:
    """The best value so far of a score and the epoch that had it, by the rules of Keras's ``EarlyStopping``.

    What is not a number is never better. (Keras takes the first value whatever it is, and finds nothing better than a
    NaN for ever after.)
    """

    def __init__(self, monitor: str, min_delta: float = 0.0, start_from_epoch: int = 0) -> None:
        self.monitor, self._min_delta, self._start = monitor, min_delta, start_from_epoch
        self.value: float | None = None
        self.epoch = 0.0

    @classmethod
    def of(cls, rule: EarlyStopping) -> "Best":
        return cls(rule.monitor, rule.min_delta, rule.start_from_epoch)

    def looks_at(self, epoch: float) -> bool:
        """Whether the warm-up is over after so many epochs."""
        return epoch > self._start

    def improves(self, value: float, epoch: float) -> bool:
        """Whether the value after so many epochs is better than all before; then it is the best."""
        if not self.looks_at(epoch) or not math.isfinite(value):
            return False
        gain = math.inf if self.value is None else value - self.value if rises(self.monitor) else self.value - value
        if gain > self._min_delta:
            self.value, self.epoch = value, epoch
            return True
        return False

    def state(self) -> dict[str, Any]:
        return {"value": self.value, "epoch": self.epoch}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.value, self.epoch = state["value"], state["epoch"]


class StopEarly(Stopper):
    """Ends the training once a score has not become better for ``patience`` epochs.

    A training that goes on after its end has the same patience anew.
    """

    def __init__(self, rule: EarlyStopping) -> None:
        self._rule = rule
        self._begin()

    def _begin(self) -> None:
        self._best, self._wait, self._looked_at = Best.of(self._rule), 0.0, float(self._rule.start_from_epoch)

    def on_decision(self, loop: Loop) -> None:
        if not self._look(loop.history[-1]):
            return
        value, best = loop.history[-1].values[self._rule.monitor], self._best
        said = "has not been a number" if best.value is None else (
            f"{value:.4g} has not become better than {best.value:.4g} (epoch {in_words(best.epoch)})"
        )  # fmt: skip
        self.end(loop, f"the {score_in_words(self._rule.monitor)} {said} for {in_words(self._wait)} epochs.")

    def on_jump(self, loop: Loop) -> None:
        self._begin()
        for point in loop.history:
            self._look(point)

    def _look(self, point: Point) -> bool:
        """Whether patience is at its end."""
        if not self._best.looks_at(point.epoch):
            return False
        self._wait += point.epoch - self._looked_at
        self._looked_at = point.epoch
        if self._best.improves(point.values[self._rule.monitor], point.epoch):
            self._wait = 0.0
            return False
        return self._wait >= self._rule.patience

    def state(self) -> dict[str, Any]:
        wait = 0.0 if self.reason else self._wait
        return {"best": self._best.state(), "wait": wait, "looked_at": self._looked_at}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._best.restore(state["best"])
        self._wait, self._looked_at = state["wait"], state["looked_at"]


class StopAtThreshold(Stopper):
    """Ends the training once a score is good enough."""

    def __init__(self, rule: StopAtScore) -> None:
        self._monitor, self._threshold = rule.monitor, rule.threshold

    def on_decision(self, loop: Loop) -> None:
        value = loop.history[-1].values[self._monitor]
        score = f"the {score_in_words(self._monitor)} {value:.4g}"
        if rises(self._monitor) and value >= self._threshold:
            self.end(loop, f"{score} has reached {self._threshold:.4g}.")
        elif not rises(self._monitor) and value < self._threshold:
            self.end(loop, f"{score} is below {self._threshold:.4g}.")


class StopAtTime(Stopper):
    """Ends the training after some minutes, in which it was not paused. One that goes on has as many minutes anew."""

    def __init__(self, rule: TimeLimit) -> None:
        self._limit, self._spent = 60 * rule.minutes, 0.0
        self._since: float | None = None

    def on_train_begin(self, loop: Loop) -> None:
        self._since = time.perf_counter()

    def on_pause(self, loop: Loop) -> None:
        self._since = None

    def on_stretch_end(self, loop: Loop) -> None:
        now = time.perf_counter()
        # The stretch after a pause is not counted: when the pause ended, nobody said.
        self._spent += now - self._since if self._since is not None else 0.0
        self._since = now
        if self._spent >= self._limit:
            minutes = self._limit / 60
            self.end(loop, f"the time limit of {minutes:g} minute{'' if minutes == 1 else 's'} is over.")

    def state(self) -> dict[str, Any]:
        return {"spent": 0.0 if self.reason else self._spent}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._spent = state["spent"]


STOPPERS: dict[type[StopRule], Callable[[Any], Stopper]] = {
    EarlyStopping: StopEarly, StopAtScore: StopAtThreshold, TimeLimit: StopAtTime,
}  # fmt: skip
"""What does each rule of the spec."""


def stop_rules(training: Training) -> list[Stopper]:
    """The stop rules of a training."""
    asked: list[StopRule] = list(training.stop_rules)
    if training.stop_at_loss is not None:
        asked.append(StopAtScore(monitor="loss", threshold=training.stop_at_loss))
    return [STOPPERS[type(rule)](rule) for rule in asked]


def in_words(epoch: float) -> str:
    """Epochs for people: "12", "12.4", "1,200"."""
    return f"{epoch:,.0f}" if epoch == int(epoch) else f"{epoch:,.1f}"
