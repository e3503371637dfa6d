"""One training's numbers, and its turn in a program that it may share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playground.engine.training.program import Packed, Program


class Learner:
    """One training's own numbers, seated in a program that it may share.

    Trainings of the same architecture need one trace and one compilation; each brings its values when its turn comes,
    and they are put aside when another takes the seat. Twenty small arrays change places in about a millisecond.
    """

    def __init__(self, program: Program, values: Sequence[Any]) -> None:
        self.program = program
        self._aside: Sequence[Any] | Packed | None = values

    @contextmanager
    def seat(self) -> Iterator[Program]:
        """The program with this training's values in it; nobody else runs it meanwhile. Who sits may ask again."""
        with self.program.lock:
            if self._aside is not None:
                self._sit_down(self.program, self._aside)
            yield self.program

    def _sit_down(self, program: Program, aside: Sequence[Any] | Packed) -> None:
        if program.seated is None and not isinstance(aside, Packed):
            program.assign(aside)
        else:
            packed = aside if isinstance(aside, Packed) else program.pack(aside)
            before = program.exchange(packed)
            if program.seated is not None:
                program.seated._aside = before
        program.seated, self._aside = self, None

    def move(self, program: Program) -> None:
        """Go on in another program of the same variables."""
        with self.seat() as before:
            values = before.values()
        self.leave()
        self.program, self._aside = program, values

    def leave(self) -> None:
        """Free the seat at the end of a training; its values are forgotten."""
        with self.program.lock:
            if self.program.seated is self:
                self.program.seated = None
