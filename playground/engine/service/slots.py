"""Who may train where: an account of the train workers' slots. Rules only; no process, no store, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from playground.engine.service.cluster import Worker

RECYCLE_RUNS = 20
RECYCLE_BYTES = 1_000_000_000
"""Keras and TensorFlow keep some megabytes of every run: after so many runs, or so much growth, an idle worker gets a
fresh process."""

DRAIN = 3
"""A worker that never is idle takes no more runs after so many times the above."""


@dataclass(slots=True, eq=False)
class Trainer:
    """A train worker and what it holds."""

    worker: Worker
    first_memory: int
    used: int = 0
    """Shares of its slot that are taken."""
    large: bool = False
    """Taken by one run as a whole."""
    runs: float = 0.0
    """How many it was ever given; a small one counts as its share of the slot."""
    warm: bool = False
    """It has imported what it needs; until then it gets nothing."""
    closing: bool = False
    """About to get a fresh process."""

    def is_worn(self, times: int = 1) -> bool:
        """Whether it has kept so much that it should be recycled."""
        growth = self.worker.memory - self.first_memory
        return self.runs >= RECYCLE_RUNS * times or growth >= RECYCLE_BYTES * times


class Slots:
    """The train workers' slots, each of ``shares`` shares: a small run takes one, a large run all of them."""

    def __init__(self, shares: int) -> None:
        self.shares = shares
        self.trainers: dict[str, Trainer] = {}

    def update(self, workers: Iterable[Worker]) -> list[Trainer]:
        """Take note of which workers are up, and return the new ones. A restarted worker is a new one."""
        present = {worker.name: worker for worker in workers}
        for name, trainer in list(self.trainers.items()):
            if name in present and present[name].address == trainer.worker.address:
                trainer.worker = present.pop(name)
            else:
                del self.trainers[name]
        new = {name: Trainer(worker, worker.memory) for name, worker in present.items()}
        self.trainers.update(new)
        return list(new.values())

    def wanted(self, large_waits: bool) -> Literal["any", "small", "none"]:
        """Which runs there is room for: any, only small ones, or none.

        With ``large_waits`` a large run has waited for long: the worker that will be free soonest takes no more small
        runs until it is.
        """
        if any(trainer.used == 0 for trainer in self._open()):
            return "any"
        reserved = self._reserved(large_waits)
        return "small" if any(trainer is not reserved for trainer in self._open()) else "none"

    def take(self, small: bool, large_waits: bool) -> Trainer:
        """The worker that gets the run just claimed: small runs are packed, so that whole slots stay free."""
        if small:
            reserved = self._reserved(large_waits)
            trainer = max(self._open(), key=lambda t: (t is not reserved, t.used))
            trainer.used += 1
        else:
            trainer = next(trainer for trainer in self._open() if trainer.used == 0)
            trainer.used, trainer.large = self.shares, True
        trainer.runs += 1 / self.shares if small else 1
        return trainer

    def give_back(self, trainer: Trainer, small: bool) -> None:
        """The run has let go of its worker."""
        trainer.used -= 1 if small else self.shares
        trainer.large = False

    def worn(self) -> list[Trainer]:
        """Idle workers that should get a fresh process."""
        return [trainer for trainer in self._working() if trainer.used == 0 and trainer.is_worn()]

    def _working(self) -> list[Trainer]:
        return [trainer for trainer in self.trainers.values() if trainer.warm and not trainer.closing]

    def _reserved(self, large_waits: bool) -> Trainer | None:
        shared = [trainer for trainer in self._working() if not trainer.large]
        return min(shared, key=lambda trainer: trainer.used, default=None) if large_waits else None

    def _open(self) -> list[Trainer]:
        return [t for t in self._working() if t.used < self.shares and not t.is_worn(DRAIN)]
