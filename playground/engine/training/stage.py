"""A part of a training in which the same layers learn."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from playground.engine.training.program import Program


class Stage(NamedTuple):
    """From which step on which layers learn, and how fast. The numbers of a training go on through all its stages."""

    step: int
    rate: float
    """The learning rate."""
    program: Callable[[], Program]
    """The network with the other layers frozen; it has the same variables in the same places."""


def stage_at(stages: Sequence[Stage], step: int) -> Stage:
    """The stage in which a step lies; the first begins at step 0."""
    return [stage for stage in stages if stage.step <= step][-1]
