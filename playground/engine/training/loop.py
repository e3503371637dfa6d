"""The training loop: stretches of compiled steps, and what happens between them.

::

    while step < total and not stop_training:
        run a stretch of about 0.2 s of steps in one compiled call     Program
        read the metrics; at a NaN go back to the last good step       Loop
    at the first step of a stage: let other layers learn           Stage
        at the end of a period: validate, decide                       Schedule
        tell the callbacks

How long a stretch is depends on speed and decides only when pictures are refreshed. Everything that changes a number
falls at steps fixed by the experiment: see :class:`Schedule`, and :mod:`plan` for the choice between variants.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import tensorflow as tf

from playground.engine.training.plan import Pace, Pilot
from playground.engine.training.program import EVALUATION_BATCH, Learner, Program, Values, Variant
from playground.engine.training.schedule import Schedule
from playground.engine.training.source import Source
from playground.records import Point

SECONDS_BETWEEN_SNAPSHOTS = 1.0


class Callback:
    """Does one thing at one moment of a training. The moments are named as Keras names them."""

    def on_train_begin(self, loop: "Loop") -> None:
        """Before the first step."""

    def on_stretch_end(self, loop: "Loop") -> None:
        """A few times a second: read controls, refresh pictures. Must change nothing that is computed."""

    def on_decision(self, loop: "Loop") -> None:
        """At fixed steps, after validation: ``loop.history[-1]`` has the scores. Stop rules belong here."""

    def on_train_end(self, loop: "Loop") -> None:
        """After the last step, also when stopped or failed."""


class Stage(NamedTuple):
    """From which step on which layers learn, and how fast. The numbers of a training go on through all its stages."""

    step: int
    rate: float
    """The learning rate."""
    program: Callable[[], Program]
    """The network with the other layers frozen; it has the same variables in the same places."""


@dataclass
class Speed:
    """Time spent in compiled steps, by variant; the first stretch of each, which compiles, is left out."""

    totals: dict[Variant, tuple[int, float]] = field(default_factory=dict)

    def add(self, variant: Variant, steps: int, seconds: float) -> None:
        if variant not in self.totals:
            self.totals[variant] = (0, 0.0)
        else:
            known, spent = self.totals[variant]
            self.totals[variant] = (known + steps, spent + seconds)

    def steps_per_second(self, variant: Variant) -> float:
        steps, seconds = self.totals.get(variant, (0, 0.0))
        return steps / seconds if seconds else 0.0


class Loop:
    """One training.

    Args:
        learner: the network's numbers, seated in its program.
        source: gives the examples of each step; its sizes are those of the program.
        schedule: steps, epochs and decisions.
        validation: batches that Keras's ``test_step`` takes; empty for none.
        pilot: chooses between plain and XLA.
        step: where a resumed training goes on.
        stages: what is to come after that step, in order; ``learner`` sits in the program of the present stage.

    Attributes:
        step: steps done.
        values: training means of the last stretch, by Keras's names.
        history: the scores at every decision.
        stop_training: set it in a callback to end the training after this stretch.
        failure: one sentence where training could not go on; the weights are then the last good ones.
    """

    def __init__(
        self,
        learner: Learner,
        source: Source,
        *,
        schedule: Schedule,
        validation: Sequence[Any] = (),
        pilot: Pilot,
        callbacks: Sequence[Callback] = (),
        step: int = 0,
        stages: Sequence[Stage] = (),
    ) -> None:
        self.learner = learner
        self.schedule = schedule
        self.source = source
        self.validation = validation
        self.pilot = pilot
        self.callbacks = callbacks
        self.step = step
        self.stages = [stage for stage in stages if stage.step > step]
        self.values: dict[str, float] = {}
        self.history: list[Point] = []
        self.stop_training = False
        self.failure = ""
        self.speed = Speed()
        self._pace = Pace()
        self._sums: dict[str, tuple[float, float]] = {}
        self._kept: tuple[int, Values] = (-1, [])
        self._kept_at = -math.inf

    @property
    def epoch(self) -> float:
        """Epochs seen, as a fraction."""
        return self.step / self.schedule.steps_per_epoch

    @property
    def examples_per_second(self) -> float:
        """Steady speed of the variant that runs now, without compiling, validating and reporting."""
        rate = self.speed.steps_per_second(self.pilot.variant(max(0, self.step - 1)))
        return rate * self.schedule.examples / self.schedule.steps_per_epoch

    def run(self) -> None:
        """Train to the end, or until a callback sets ``stop_training``."""
        with self.learner.seat() as program:
            self._sums = program.metrics()[1]
            self._keep(program)
        if self.pilot.variant(self.step) == "xla":
            self.pilot.prepare(self.step, self.source.window(self.step))
        self._tell("on_train_begin")
        while self.step < self.schedule.total_steps and not self.stop_training:
            if self.stages and self.step == self.stages[0].step:
                self._begin_stage(self.stages.pop(0))
            decided = self._stretch()
            self._tell("on_stretch_end")
            if decided and not self.failure:
                self._tell("on_decision")
        self._tell("on_train_end")

    def _tell(self, moment: str) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self)

    def _begin_stage(self, stage: Stage) -> None:
        """Go on in another program. A snapshot begins every stage, so that a replay never crosses one."""
        program = stage.program()
        self.learner.move(program, stage.rate)
        self.pilot.board(program, self.step, self.source.window(self.step))
        with self.learner.seat():
            self._keep(program)

    def _stretch(self) -> bool:
        """Run some steps in one call. True when a decision fell at their end."""
        window = self.source.window(self.step)
        period_end = self.schedule.period(self.step)[1] * self.schedule.steps_per_epoch
        variant = self.pilot.ready(self.step)
        end = min(self.pilot.until(self.step, window.end), self.step + self._pace.steps(variant))
        if self.stages:
            end = min(end, self.stages[0].step)
        with self.learner.seat() as program:
            began = time.perf_counter()
            program.run(variant, window, self.step, end)
            running, sums = program.metrics()
            seconds = time.perf_counter() - began
            steps, self.step = end - self.step, end
            self.values = {**running, **_means_since(self._sums, sums)}
            self._sums = sums
            decided = end == period_end
            # A snapshot begins every period, so that a replay never crosses one.
            keep = decided or time.perf_counter() - self._kept_at > SECONDS_BETWEEN_SNAPSHOTS
            if not math.isfinite(running["loss"]) or (keep and not program.is_finite()):
                self._recover(program)
                return False
            if decided:
                self._decide(program, running)
            if keep:
                self._keep(program)
        self.speed.add(variant, steps, seconds)
        self._pace.measured(variant, steps, seconds)
        self.pilot.measured(end, steps, seconds, self.schedule.total_steps - end, window)
        return decided

    def _decide(self, program: Program, running: dict[str, float]) -> None:
        """Write down the period's scores. Training and validation share the metrics' variables: one after the other."""
        program.model.reset_metrics()
        scores = dict(running)
        if self.validation:
            program.evaluate(self.validation)
            scores |= {f"val_{name}": value for name, value in program.metrics()[0].items()}
            program.model.reset_metrics()
        self._sums = {}
        self.history.append(Point(self.step, self.epoch, "epoch", scores))

    def _keep(self, program: Program) -> None:
        """Remember the present values, to go back to."""
        self._kept, self._kept_at = (self.step, program.values()), time.perf_counter()

    def _recover(self, program: Program) -> None:
        """Go back to the last step after which loss and weights were numbers, and end the training there.

        The steps since the last snapshot are replayed, halving the stretch in which the first NaN must lie.
        """
        (good, values), bad = self._kept, self.step

        def replay(to: int) -> None:
            program.assign(values)
            at = good
            while at < to:
                window = self.source.window(at)
                end = min(self.pilot.until(at, to), window.end)
                program.run(self.pilot.variant(at), window, at, end)
                at = end

        while bad - good > 1:
            middle = (good + bad) // 2
            replay(middle)
            if math.isfinite(program.metrics()[0]["loss"]) and program.is_finite():
                good, values = middle, program.values()
            else:
                bad = middle
        replay(good)
        self.step, self.stop_training = good, True
        self.values = {name: value for name, value in program.metrics()[0].items() if math.isfinite(value)}
        self.failure = f"The loss stopped being a number at step {bad:,} (epoch {int(self.epoch) + 1})."


def _means_since(before: Mapping[str, tuple[float, float]], now: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Means over what was added to (total, count) pairs since ``before``."""
    means = {}
    for name, (total, count) in now.items():
        total_before, count_before = before.get(name, (0.0, 0.0))
        if count > count_before:
            means[name] = (total - total_before) / (count - count_before)
    return means


def batches_of(arrays: Any, size: int = EVALUATION_BATCH) -> list[Any]:
    """Arrays cut into batches on the device, for :class:`Loop`'s ``validation``."""
    examples = len(tf.nest.flatten(arrays)[0])
    return [
        tf.nest.map_structure(lambda array, at=at: tf.convert_to_tensor(array[at : at + size]), arrays)
        for at in range(0, examples, size)
    ]
