"""The training loop: stretches of compiled steps, and what happens between them.

::

    while step < total and not stop_training:
        as long as what runs next is built or compiled: only on_rest   Compilation
        at the first step of a stage: let other layers learn           Stage
        run a stretch of about 0.15 s of steps in one compiled call    Program
        read the metrics; at a NaN go back to the last good step       Loop
        at the end of a period: validate, decide                       Schedule
        tell the callbacks; last, let people change what comes         on_rest

How long a stretch is depends on speed and decides only when pictures are refreshed. Everything that changes a number
falls at steps fixed by the experiment: see :class:`Schedule`, and :mod:`plan` for the choice between variants. What
people change while it runs falls at a step that is written down.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from playground.engine.training.callback import Callback
from playground.engine.training.compilation import Compilation
from playground.engine.training.learner import Learner
from playground.engine.training.plan import Pace, Pilot, Speed
from playground.engine.training.program import Program, Values
from playground.engine.training.rate import LearningRate
from playground.engine.training.schedule import Schedule
from playground.engine.training.source import Source, Window
from playground.engine.training.stage import Stage, stage_at
from playground.records import Point

SECONDS_BETWEEN_SNAPSHOTS = 1.0
SECONDS_BETWEEN_LOOKS = 0.02
"""At what people ask, while what runs next is built or compiled."""
COMPILING = 4
"""So many times shorter are stretches while XLA compiles beside them: it takes the cores that they were measured on."""


class Loop:
    """One training.

    Args:
        learner: the network's numbers, seated in its program.
        source: gives the examples of each step; its sizes are those of the program.
        schedule: steps, epochs and decisions.
        validation: batches that Keras's ``test_step`` takes; empty for none.
        pilot: chooses the variant.
        step: where a resumed training goes on.
        stages: what is to come after that step, in order; ``learner`` sits in the program of the present stage.
        learning_rate: with its schedule; None: the optimizer's own, constant.

    Attributes:
        step: steps done.
        values: training means of the last stretch, by Keras's names.
        history: the scores at every decision.
        stop_training: set it in a callback to end the training after this stretch.
        halts: steps at which a stretch must end, because something is to happen there.
        most_steps: that a stretch may have; None: as many as the pace allows.
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
        learning_rate: LearningRate | None = None,
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
        self.halts: set[int] = set()
        self.most_steps: int | None = None
        self.failure = ""
        self.speed = Speed()
        own = learner.program.model.optimizer.learning_rate
        self._learning_rate = learning_rate or LearningRate(float(tf.convert_to_tensor(own)))
        self._window: Window | None = None
        self._pace = Pace()
        self._sums: dict[str, tuple[float, float]] = {}
        self._kept: tuple[int, Values] = (-1, [])
        self._kept_at = -math.inf
        self._next: tuple[Stage, Compilation] | None = None

    @property
    def epoch(self) -> float:
        """Epochs seen, as a fraction."""
        return self.schedule.epoch_of(self.step)

    @property
    def examples_per_second(self) -> float:
        """Steady speed of the variant that runs now, without compiling, validating and reporting."""
        rate = self.speed.steps_per_second(self.pilot.variant(max(0, self.step - 1)))
        return rate * self.schedule.examples / self.schedule.steps_per_epoch

    def run(self) -> None:
        """Train to the end, or until a callback sets ``stop_training``."""
        with self.learner.seat() as program:
            self._sums = program.metrics()[1]
            self._set_constant_rate(program)
            self._keep(program)
        if self.pilot.variant(self.step) != "plain":
            self.pilot.prepare(self.step, self._window_of(self.step))
        self.tell("on_train_begin")
        self.tell("on_rest")
        while self.step < self.schedule.total_steps and not self.stop_training:
            due = bool(self.stages) and self.step == self.stages[0].step
            if self._is_in_the_making(self.stages[0]) if due else self.pilot.waits(self.step, SECONDS_BETWEEN_LOOKS):
                self.tell("on_rest")
                continue
            if due:
                self._begin_stage(self.stages.pop(0))
                continue  # its variant is to be compiled
            with self.learner.seat() as program:  # until all have looked: where many share it, changing places is dear
                decided = self._stretch()
                self.tell("on_stretch_end")
                if decided and not self.failure:
                    self.tell("on_decision")
                program.expect(self.validation)
            time.sleep(0)  # those who wait for the seat go first
            self.tell("on_rest")
        self.tell("on_train_end")

    def tell(self, moment: str) -> None:
        """Tell all callbacks that this moment has come."""
        for callback in self.callbacks:
            getattr(callback, moment)(self)

    # What callbacks may change, between two stretches

    @property
    def rate(self) -> float:
        """The learning rate of the next step; of the last one after it."""
        return self._learning_rate.at(min(self.step, self.schedule.total_steps - 1), self.schedule)

    @property
    def rate_scale(self) -> float:
        """By how much the learning rate was changed since the training began, as a factor."""
        return self._learning_rate.scale

    def scale_rate(self, factor: float) -> None:
        """Multiply the learning rate from the next step on, whatever its schedule."""
        self._learning_rate.scale *= factor
        self._window = None
        self.change(self._set_constant_rate)

    def _set_constant_rate(self, program: Program) -> None:
        known, rate = self._learning_rate, program.model.optimizer.learning_rate
        # A model from elsewhere may have a schedule of Keras's own, which cannot be set; nor does it have to be.
        if known.factors is None and float(tf.convert_to_tensor(rate)) != known.base * known.scale:
            rate.assign(known.base * known.scale)

    def change(self, change: Callable[[Program], None]) -> None:
        """Change the network's numbers. A snapshot follows every change, so that a replay never crosses one."""
        with self.learner.seat() as program:
            change(program)
            self._keep(program)

    def turn(self, source: Source, schedule: Schedule, stages: Sequence[Stage]) -> None:
        """Go on with batches of another size, other frozen layers, or to another end.

        Args:
            source: gives the examples of each step from now on.
            schedule: begins at an epoch that begins now, unless its sizes are those before.
            stages: all of the training, those that are past as well.
        """
        self.source, self.schedule = source, schedule
        present = stage_at(stages, self.step)._replace(step=self.step)
        self.stages = [present, *(stage for stage in stages if stage.step > self.step)]
        self._learning_rate.base, self._window = present.rate, None

    def jump(
        self, step: int, values: Sequence[Any], source: Source, schedule: Schedule, stages: Sequence[Stage]
    ) -> None:
        """Go on from an earlier step, with the values that all variables had there; the others as for ``turn``."""
        self.step = step
        self.turn(source, schedule, stages)
        self.history = [point for point in self.history if point.step <= step]
        self.values = {}

        def give(program: Program) -> None:
            program.assign(values)
            program.reset_metrics()
            self._set_constant_rate(program)
            self._sums = program.metrics()[1]

        self.change(give)
        self.tell("on_jump")

    # What happens in between

    def _window_of(self, step: int) -> Window:
        """The window in which a step lies, with the learning rate of each of its steps."""
        if self._window is None or not self._window.start <= step < self._window.end:
            window = self.source.window(step)
            rates = self._learning_rate.of_window(window, self.source.sizes, self.schedule)
            self._window = window._replace(rates=rates)
        return self._window

    def _is_in_the_making(self, stage: Stage) -> bool:
        """Whether a stage's network is still to be built. What goes wrong there is raised where the stage begins."""
        if self._next is None or self._next[0] is not stage:
            self._next = stage, Compilation(stage.program)
        _, making = self._next
        return not making.ends_within(SECONDS_BETWEEN_LOOKS)

    def _begin_stage(self, stage: Stage) -> None:
        """Go on in the program of a stage, at its rate."""
        self._learning_rate.base, self._window = stage.rate, None
        program = stage.program()
        if program is not self.learner.program:
            self.learner.move(program)
            self.pilot.board(program, self.step, self._window_of(self.step))
            self._pace = Pace()
        self.change(self._set_constant_rate)

    def _stretch(self) -> bool:
        """Run some steps in one call. True when a decision fell at their end."""
        window = self._window_of(self.step)
        period_end = self.schedule.step_of(self.schedule.period(self.step)[1])
        variant = self.pilot.ready(self.step)
        steps = self._pace.steps(variant)
        if self.learner.program.is_compiling:
            steps = math.ceil(steps / COMPILING)
        end = min(self.pilot.until(self.step, window.end), self.step + steps)
        if self.most_steps is not None:
            end = min(end, self.step + self.most_steps)
        if self.stages:
            end = min(end, self.stages[0].step)
        end = min([end, *(halt for halt in self.halts if halt > self.step)])
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
        program.reset_metrics()
        scores = dict(running)
        if self.validation:
            program.evaluate(self.validation)
            scores |= {f"val_{name}": value for name, value in program.metrics()[0].items()}
            program.reset_metrics()
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
                window = self._window_of(at)
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
