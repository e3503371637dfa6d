"""Which variant runs which steps: decided by measurement, recorded as the run's plan, replayed for the same numbers.

Every training begins with TensorFlow's own kernels. Beside them one other variant is compiled and tried: that of XLA,
or, for large convolutions on a CPU, which XLA's are far behind, the one in which it compiles the optimizer's update.

Their kernels round differently, so a training repeats itself to the last bit only where the same variant runs
the same steps. A plan such as ``((0, "plain"), (4096, "xla"))`` says which; :class:`Pilot` writes it while it flies
free, and follows it where one is given.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, cast

import keras
import tensorflow as tf

from playground.engine.training.program import Program, Variant
from playground.engine.training.source import Window
from playground.errors import TrainingFailed

Plan = tuple[tuple[int, str], ...]

WORTH_SECONDS = 2.0
"""Compiling costs 1–4 s of a core: not worth it for less than this left."""
SLOW_CONVOLUTION = 0.003
"""Seconds of a plain step with convolutions above which, on a CPU, XLA is tried on the optimizer's update alone: on all
of the step it was 3 to 80 times slower."""
STRETCHES_TO_WARM_UP = 6
"""Until then a convolution that seems slow may only be cold."""
LEG_SECONDS, LEGS, CLEAR = 0.4, 8, 2.0
"""A trial flies so long with what is tried and, unless one is so many times as fast as the other, with plain and it in
turn: on a shared machine the same stretch may take twice as long a second later. Then the best of each counts."""


class Pilot:
    """Chooses the variant for each stretch of steps.

    Args:
        program: what runs.
        execution: ``"plain"``, ``"xla"`` or ``"auto"``.
        plan: what ran before; it is replayed step for step.
        settled: the plan is whole: after its last entry nothing else is tried.
    """

    def __init__(
        self,
        program: Program,
        execution: Literal["auto", "plain", "xla"] = "auto",
        plan: Plan = (),
        settled: bool = False,
    ) -> None:
        self.program = program
        self.entries: list[tuple[int, Variant]] = [(step, cast(Variant, variant)) for step, variant in plan]
        self.note = ""
        """Why XLA is not used, where that is worth telling."""
        self.exploring = execution == "auto" and not settled
        self._execution = execution
        self._given = math.inf if settled else plan[-1][0] if plan else -1
        """The plan is replayed up to this step."""
        self._tried: Variant | None = None
        self._leg: list[tuple[int, float]] | None = None
        self._legs: list[tuple[Variant, float]] = []
        self._stretches = 0
        if not self.entries:
            self.entries = [(0, "xla" if execution == "xla" else "plain")]
            if execution == "auto":
                self._take_off(0)
        # A resumed training goes on with what it chose: how fast plain was, nobody knows in a new process.
        self.exploring = self.exploring and self.entries[-1][1] == "plain"

    def _take_off(self, step: int) -> None:
        """Begin free flight from ``step`` on: in the best variant, if another training of the same program measured."""
        rates = self.program.rates
        self.exploring = "plain" not in rates or len(rates) == 1
        first: Variant = "plain" if self.exploring else max(rates, key=lambda variant: rates[variant])
        past = [entry for entry in self.entries if entry[0] < step]
        self.entries = [*past, (step, first)] if not past or past[-1][1] != first else past

    @property
    def plan(self) -> Plan:
        return tuple(self.entries)

    def variant(self, step: int) -> Variant:
        """The variant of a step that is in the plan, or goes on from its last entry."""
        return [variant for start, variant in self.entries if start <= step][-1]

    def until(self, step: int, end: int) -> int:
        """The next step after ``step`` at which the plan changes, ``end`` at most."""
        return min([end, *(start for start, _ in self.entries if start > step)])

    def prepare(self, step: int, window: Window) -> None:
        """Start compiling what the plan needs from ``step`` on; after the first stretch, where that one is plain."""
        for variant in (self.variant(step), *(variant for start, variant in self.entries if start >= step)):
            self.program.compile(variant, window)

    def board(self, program: Program, step: int, window: Window) -> None:
        """Go on with another program from ``step`` on. What is fast for it is to be found out again; a trial ends."""
        self.program, self._stretches, self._tried, self._leg, self._legs = program, 0, None, None, []
        if self._execution == "auto" and step > self._given:
            self.note = ""
            self._take_off(step)
        self.exploring = self.exploring and self.variant(step) == "plain"
        self.program.compile(self.variant(step), window)  # what else the plan needs: after the first stretch

    def waits(self, step: int, seconds: float) -> bool:
        """Whether the variant for ``step`` is still being compiled, after so many seconds."""
        compilation = self.program.compilation(self.variant(step))
        return compilation is not None and not compilation.ends_within(seconds)

    def ready(self, step: int) -> Variant:
        """The variant for the stretch that begins at ``step``, compiled; waits for the compiler where it must.

        Raises:
            TrainingFailed: XLA was asked for and cannot compile this network.
        """
        compilation = self.program.compilation(self.variant(step))
        if compilation is not None and not compilation.wait():
            self.note = f"XLA cannot compile this network: {compilation.error}"
            if self._execution == "xla":
                raise TrainingFailed(f'{self.note.rstrip(".")}. Choose the execution "auto" or "plain".')
            self.entries = [*(entry for entry in self.entries if entry[0] < step), (step, "plain")]
            self.exploring = False
        return self.variant(step)

    def measured(self, step: int, steps: int, seconds: float, left: int, window: Window) -> None:
        """Learn from a stretch of ``steps`` that ended before ``step``, and change the plan from ``step`` on.

        Args:
            left: steps that remain.
            window: what the compiled function is given.
        """
        if step <= self.entries[-1][0]:
            self.prepare(step, window)  # a replay: the plan knows better
            return
        self._stretches += 1
        if self._stretches == 1:  # it traced and compiled as well
            return
        variant = self.entries[-1][1]
        rate = steps / max(seconds, 1e-9)
        rates = self.program.rates
        if self._leg is None:
            rates[variant] = max(rate, rates.get(variant, 0.0))
        if not self.exploring:
            return
        if self._leg is not None and self._tried is not None:
            self._judge(self._tried, self._leg, step, steps, seconds)
        elif self._tried is None:
            if left / rates["plain"] > WORTH_SECONDS:
                self._tried = self._worth_trying()
                if self._tried is not None:
                    self.program.compile(self._tried, window)
        elif (compilation := self.program.compilation(self._tried)) is not None and not compilation.is_running:
            if compilation.is_ready:
                self._leg = []
                self.entries.append((step, self._tried))
            else:
                self.note, self.exploring = f"XLA cannot compile this network: {compilation.error}", False

    def _judge(self, tried: Variant, leg: list[tuple[int, float]], step: int, steps: int, seconds: float) -> None:
        leg.append((steps, seconds))
        counted = leg[1:]  # the first stretch pays for cold caches
        if sum(seconds for _, seconds in counted) < LEG_SECONDS:
            return
        rates, flying = self.program.rates, self.entries[-1][1]
        self._legs.append((flying, max(steps / seconds for steps, seconds in counted)))
        rates.update(sorted(self._legs, key=lambda leg: leg[1]))  # the best of each comes last
        self._leg, ratio = [], rates[tried] / rates["plain"]
        is_over = len(self._legs) == LEGS or not 1 / CLEAR < ratio < CLEAR
        following = (tried if ratio > 1 else "plain") if is_over else ("plain" if flying == tried else tried)
        if following != flying:
            self.entries.append((step, following))
        if is_over:
            self._leg, self.exploring = None, False
            self.note = self.note if following == tried else "XLA was tried and was slower."

    def _worth_trying(self) -> Variant | None:
        """What may be faster than plain; None: it is too early to tell."""
        if tf.config.list_physical_devices("GPU"):
            return "xla"
        convolutions = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.DepthwiseConv2D)
        if not any(isinstance(layer, convolutions) for layer in self.program.model._flatten_layers()):
            return "xla"
        if 1 / self.program.rates["plain"] < SLOW_CONVOLUTION:
            return "xla"
        if self._stretches <= STRETCHES_TO_WARM_UP:
            return None
        self.note = "XLA is slow on large convolutions on a CPU, so it was tried on the optimizer's update alone."
        return "fused"


class Pace:
    """How many steps make a stretch of about ``seconds``: it decides when controls are read and pictures refreshed."""

    def __init__(self, seconds: float = 0.15) -> None:
        self.seconds = seconds
        self._rates: dict[str, float] = {}

    def steps(self, variant: Variant) -> int:
        """Steps for the next stretch; the first ones are few, so that the first picture comes soon."""
        return max(1, int(self._rates.get(variant, 5 / self.seconds) * self.seconds))

    def measured(self, variant: Variant, steps: int, seconds: float) -> None:
        """Follow the speed: up eightfold at a time at most, because the first stretches also trace and warm up."""
        known = self._rates.get(variant, 5 / self.seconds)
        self._rates[variant] = min(steps / max(seconds, 1e-9), 8 * known)


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
