"""Where a run is going: what people have changed of it so far, and what that means in steps. Pure arithmetic."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from playground.engine.training import Schedule


class Leg(NamedTuple):
    """A part of a training with batches of one size."""

    step: int
    epoch: int
    """Where it begins: at the start of this epoch, after so many steps."""
    batch_size: int


@dataclass(frozen=True)
class Course:
    """What holds now. JSON in every checkpoint, so that an interrupted run goes on as it was going."""

    epochs: int
    """With how many the training ends."""
    legs: tuple[Leg, ...]
    frozen: tuple[str, ...] = ()
    """Ids of layers that people froze, beside those that a plan of fine-tuning freezes."""
    rate_scale: float = 1.0
    """Factor on the learning rate, see ``LearningRate``."""
    speed: float | None = None
    """Epochs a second that it may not exceed."""

    def schedule(self, examples: int) -> Schedule:
        """The schedule from its last leg on."""
        leg = self.legs[-1]
        return Schedule(examples, leg.batch_size, self.epochs, leg.step, leg.epoch)

    def with_batch_size(self, batch_size: int, step: int, epoch: int) -> "Course":
        """Batches of another size from the start of an epoch on."""
        legs = tuple(leg for leg in self.legs if leg.step < step)
        return replace(self, legs=(*legs, Leg(step, epoch, batch_size)))

    def back_to(self, epoch: int, examples: int) -> tuple["Course", int]:
        """The course after going back to the end of ``epoch``, with the present batches; and that moment's step."""
        then = [leg for leg in self.legs if leg.epoch <= epoch]
        leg, now = then[-1], self.legs[-1].batch_size
        step = leg.step + (epoch - leg.epoch) * math.ceil(examples / leg.batch_size)
        course = replace(self, legs=tuple(then))
        return (course if now == leg.batch_size else course.with_batch_size(now, step, epoch)), step

    def as_json(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {
            "epochs": self.epochs, "legs": [list(leg) for leg in self.legs], "frozen": list(self.frozen),
            "rate_scale": self.rate_scale, "speed": self.speed,
        }  # fmt: skip

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Course":
        """From :meth:`as_json`."""
        legs = tuple(Leg(*leg) for leg in content["legs"])
        return cls(**{**content, "legs": legs, "frozen": tuple(content["frozen"])})
