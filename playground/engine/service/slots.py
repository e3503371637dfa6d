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
"""A worker that never is idle takes no more runs after so many times the growth."""

Room = Literal["any", "small", "large", "none"]


@dataclass(slots=True, eq=False)
class Trainer:
    """A train worker and what it holds."""

    worker: Worker
    first_memory: int
    small: int = 0
    """Small runs that it holds."""
    large: bool = False
    """Whether it holds a large run."""
    runs: float = 0.0
    """How many it was ever given; a small one counts as its share."""
    warm: bool = False
    """It has imported what it needs; until then it gets nothing."""
    closing: bool = False
    """About to get a fresh process."""

    @property
    def is_idle(self) -> bool:
        return not self.small and not self.large

    @property
    def growth(self) -> int:
        """Bytes."""
        return self.worker.memory - self.first_memory


class Slots:
    """What each train worker may hold: a large run, and beside it ``shares`` small ones.

    Small runs may last as long as somebody plays with them, mostly at the speed of a person: a large one does not wait
    for them, nor they for it. They take turns with their stretches, and the kernel shares out the cores.
    """

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

    def wanted(self) -> Room:
        """Which runs there is room for."""
        for_small = any(trainer.small < self.shares for trainer in self._open())
        if any(not trainer.large for trainer in self._open()):
            return "any" if for_small else "large"
        return "small" if for_small else "none"

    def take(self, small: bool) -> Trainer:
        """The worker that gets the run just claimed: the one that holds least beside it."""
        if small:
            trainer = min((t for t in self._open() if t.small < self.shares), key=lambda t: (t.large, t.small))
            trainer.small += 1
            trainer.runs += 1 / self.shares
        else:
            trainer = min((t for t in self._open() if not t.large), key=lambda t: t.small)
            trainer.large = True
            trainer.runs += 1
        return trainer

    def give_back(self, trainer: Trainer, small: bool) -> None:
        """The run has let go of its worker."""
        if small:
            trainer.small -= 1
        else:
            trainer.large = False

    def worn(self) -> list[Trainer]:
        """Idle workers that should get a fresh process."""
        working = [trainer for trainer in self.trainers.values() if trainer.warm and not trainer.closing]
        return [t for t in working if t.is_idle and (t.runs >= RECYCLE_RUNS or t.growth >= RECYCLE_BYTES)]

    def _open(self) -> list[Trainer]:
        working = [trainer for trainer in self.trainers.values() if trainer.warm and not trainer.closing]
        return [trainer for trainer in working if trainer.growth < DRAIN * RECYCLE_BYTES]
