"""A lower learning rate where a score has stopped getting better."""

from collections.abc import Mapping
from typing import Any

from playground.engine.training.callback import Callback
from playground.engine.training.loop import Loop
from playground.spec import ReduceOnPlateau as Asked
from playground.spec.metrics import rises


class ReduceOnPlateau(Callback):
    """Keras's ``ReduceLROnPlateau`` at decisions. Patience and cooldown count epochs, also where decisions fall rarer.

    Args:
        asked: which score, how patient, and by how much.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._best: float | None = None
        self._epoch, self._wait, self._cooldown = 0.0, 0, 0
        self._cuts: list[tuple[int, float]] = []

    def on_train_begin(self, loop: Loop) -> None:
        self._epoch = loop.epoch

    def on_decision(self, loop: Loop) -> None:
        point = loop.history[-1]
        passed, self._epoch = max(1, round(point.epoch - self._epoch)), point.epoch
        score = point.values.get(self._asked.monitor)
        if score is None:
            return
        if self._cooldown:
            self._cooldown, self._wait = max(0, self._cooldown - passed), 0
        if self._is_better(score):
            self._best, self._wait = score, 0
        elif not self._cooldown:
            self._wait += passed
            if self._wait >= self._asked.patience and loop.rate > self._asked.min_lr:
                factor = max(self._asked.factor, self._asked.min_lr / loop.rate)
                loop.scale_rate(factor)
                self._cuts.append((loop.step, factor))
                self._cooldown, self._wait = self._asked.cooldown, 0

    def _is_better(self, score: float) -> bool:
        if self._best is None:
            return True
        delta = self._asked.min_delta
        return score - delta > self._best if rises(self._asked.monitor) else score + delta < self._best

    def on_jump(self, loop: Loop) -> None:
        """The rate without what was cut since, and the best score of what is left; patience begins anew."""
        for _, factor in (cut for cut in self._cuts if cut[0] > loop.step):
            loop.scale_rate(1 / factor)
        self._cuts = [cut for cut in self._cuts if cut[0] <= loop.step]
        known = [point.values[self._asked.monitor] for point in loop.history if self._asked.monitor in point.values]
        self._best = (max if rises(self._asked.monitor) else min)(known, default=None)
        self._epoch, self._wait, self._cooldown = loop.epoch, 0, 0

    def state(self) -> dict[str, Any]:
        return {"best": self._best, "wait": self._wait, "cooldown": self._cooldown, "cuts": self._cuts}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._best, self._wait, self._cooldown = state["best"], state["wait"], state["cooldown"]
        self._cuts = [(int(step), float(factor)) for step, factor in state["cuts"]]
