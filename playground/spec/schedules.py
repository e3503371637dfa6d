"""How the learning rate changes over a training: one class a schedule, its arguments named as Keras names them.

Times are in epochs, as people think of them, and heights are shares of the optimizer's learning rate. A new schedule is
one class here and its name in :data:`SCHEDULES` and :data:`ScheduleSpec`; preview, check, form and loop follow from it.
"""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from playground.spec.base import Spec, option
from playground.spec.losses import from_name
from playground.spec.metrics import Score

Floats = NDArray[np.float64]

GRID = 2000
"""At so many moments a schedule is drawn and checked."""


def _epochs(default: float | None, title: str, help: str, **more: Any) -> Any:
    return option(default, title, help, gt=0, le=100_000, **more)


def _floor() -> Any:
    return option(0.0, "Floor", "Where it ends, as a share of the learning rate (Keras's alpha).", ge=0, le=1)


class Schedule(Spec):
    """A factor on the optimizer's learning rate at each step; a warm-up may stand before any of them."""

    kind: str
    warmup_epochs: float = option(
        0.0, "Warm-up (epochs)", "The rate first rises on a straight line from almost 0.", ge=0, le=10_000
    )

    def factors(self, steps: NDArray[np.int64], total_steps: int, steps_per_epoch: int) -> Floats:
        """The factor on the learning rate at each of ``steps``, of the same shape.

        Args:
            steps: from 0; also ones beyond the end, because epochs may be added.
            total_steps: of the training.
            steps_per_epoch: steps of one epoch.
        """
        warmup = round(self.warmup_epochs * steps_per_epoch)
        done = np.maximum(steps, 0).astype(np.float64)
        # As Keras's warm-up, but not from 0: a step at rate 0 would be taken for nothing.
        rising = np.minimum((done + 1) / (warmup + 1), 1.0)
        with np.errstate(over="ignore", under="ignore"):  # what is too large or small is refused by the check, in words
            return rising * self._curve(np.maximum(done - warmup, 0.0), max(total_steps - warmup, 1), steps_per_epoch)

    @abstractmethod
    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        """The factor after so many steps of ``total``, both counted from the end of the warm-up."""

    @abstractmethod
    def course(self) -> str:
        """What the rate does after the warm-up, such as "falls along a cosine"; empty if it stays."""


def _in_steps(epochs: float | None, per_epoch: int, otherwise: int) -> int:
    """A time in whole steps, at least one; ``otherwise`` where none is given."""
    return otherwise if epochs is None else max(1, round(epochs * per_epoch))


class Constant(Schedule):
    label: ClassVar[str] = "Constant"
    help: ClassVar[str] = "The same rate all the time."
    kind: Literal["constant"] = "constant"  # type: ignore[mutable-override]

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        return np.ones_like(steps)

    def course(self) -> str:
        return ""


class _Decay(Schedule):
    decay_epochs: float = _epochs(5.0, "Every (epochs)", "The time from one multiplication to the next.")
    decay_rate: float = option(0.5, "Times", "The rate is multiplied by this.", gt=0, le=10)


class StepDecay(_Decay):
    label: ClassVar[str] = "Step decay"
    help: ClassVar[str] = "Multiplied every few epochs: α · rate^⌊epoch / every⌋."
    kind: Literal["step"] = "step"  # type: ignore[mutable-override]

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        return np.power(self.decay_rate, np.floor(steps / _in_steps(self.decay_epochs, per_epoch, total)))

    def course(self) -> str:
        return f"is multiplied by {self.decay_rate:g} every {self.decay_epochs:g} epochs,"


class ExponentialDecay(_Decay):
    label: ClassVar[str] = "Exponential decay"
    help: ClassVar[str] = "Multiplied a little at every step: α · rate^(epoch / every)."
    kind: Literal["exponential"] = "exponential"  # type: ignore[mutable-override]

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        return np.power(self.decay_rate, steps / _in_steps(self.decay_epochs, per_epoch, total))

    def course(self) -> str:
        return f"{'falls' if self.decay_rate < 1 else 'grows'} exponentially"


class _Fall(Schedule):
    """Falls once, from 1 to a floor."""

    decay_epochs: float | None = _epochs(
        None, "Shortened to (epochs)", "How long it falls; empty: to the end of training."
    )
    alpha: float = _floor()

    def _done(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        """The share of the fall that is over, from 0 to 1."""
        return np.minimum(steps / _in_steps(self.decay_epochs, per_epoch, total), 1.0)


class CosineDecay(_Fall):
    label: ClassVar[str] = "Cosine decay"
    help: ClassVar[str] = "Half a cosine from 1 to the floor: slow at both ends (Loshchilov & Hutter, 2017)."
    kind: Literal["cosine"] = "cosine"  # type: ignore[mutable-override]

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        return self.alpha + (1 - self.alpha) * (1 + np.cos(np.pi * self._done(steps, total, per_epoch))) / 2

    def course(self) -> str:
        return "falls along a cosine"


class CosineDecayRestarts(Schedule):
    label: ClassVar[str] = "Cosine with restarts"
    help: ClassVar[str] = "Cosine decay that begins again, each time longer (SGDR; Loshchilov & Hutter, 2017)."
    kind: Literal["cosine_restarts"] = "cosine_restarts"  # type: ignore[mutable-override]
    first_decay_epochs: float = _epochs(5.0, "First fall (epochs)", "The time before the first restart.")
    alpha: float = _floor()
    t_mul: float = option(2.0, "Longer by", "Each fall lasts so many times as long as the one before.", ge=1, le=10)
    m_mul: float = option(1.0, "Height", "Each restart is so many times as high as the one before.", gt=0, le=2)

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        falls = steps / _in_steps(self.first_decay_epochs, per_epoch, total)  # in lengths of the first fall
        # The restart n begins after 1 + t + … + t^(n−1) such lengths. What is added keeps the step on which one begins
        # from being rounded into the fall before.
        if self.t_mul == 1:
            restart = np.floor(falls + 1e-9)
            done = falls - restart
        else:
            restart = np.floor(np.log1p(falls * (self.t_mul - 1)) / np.log(self.t_mul) + 1e-9)
            length = np.power(self.t_mul, restart)
            done = (falls - (length - 1) / (self.t_mul - 1)) / length
        height = np.power(self.m_mul, restart)
        factors: Floats = self.alpha + (1 - self.alpha) * height * (1 + np.cos(np.pi * done.clip(0, 1))) / 2
        return factors

    def course(self) -> str:
        longer = f", each time {self.t_mul:g} times as long" if self.t_mul > 1 else ""
        return f"falls along a cosine that restarts after {self.first_decay_epochs:g} epochs{longer},"


class PolynomialDecay(_Fall):
    label: ClassVar[str] = "Polynomial decay"
    help: ClassVar[str] = "(1 − epoch / epochs)^power, down to the floor; power 1 is a straight line."
    kind: Literal["polynomial"] = "polynomial"  # type: ignore[mutable-override]
    power: float = option(1.0, "Power", "1: a straight line; more: faster at first.", gt=0, le=10)

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        return self.alpha + (1 - self.alpha) * (1 - self._done(steps, total, per_epoch)) ** self.power

    def course(self) -> str:
        return "falls on a straight line" if self.power == 1 else f"falls with power {self.power:g}"


class OneCycle(Schedule):
    """Smith & Topin (2018), "Super-convergence", as PyTorch's ``OneCycleLR`` draws it; momentum stays as it is."""

    label: ClassVar[str] = "One cycle"
    help: ClassVar[str] = "Up to the learning rate and down again, far below where it began (Smith & Topin, 2018)."
    kind: Literal["one_cycle"] = "one_cycle"  # type: ignore[mutable-override]
    pct_start: float = option(0.3, "Rises for", "Share of the training until the peak.", gt=0, lt=1)
    div_factor: float = option(25.0, "Starts at 1 /", "The start is the peak divided by this.", ge=1, le=1e6)
    final_div_factor: float = option(1e4, "Ends at 1 /", "The end is the start divided by this.", ge=1, le=1e8)
    anneal_strategy: Literal["cos", "linear"] = option("cos", "Shape", "Along cosines, or on straight lines.")

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        done = np.minimum(steps / total, 1.0)
        start = 1 / self.div_factor
        rising = start + (1 - start) * self._eased(np.minimum(done / self.pct_start, 1.0))
        end = start / self.final_div_factor
        falling = 1 - (1 - end) * self._eased((done - self.pct_start).clip(0) / (1 - self.pct_start))
        return np.where(done < self.pct_start, rising, falling)

    def _eased(self, share: Floats) -> Floats:
        return share if self.anneal_strategy == "linear" else (1 - np.cos(np.pi * share)) / 2

    def course(self) -> str:
        return f"rises to its peak for {100 * self.pct_start:g}% of the training, then falls"


class RangeTest(Schedule):
    """The sweep of the learning-rate finder (Smith, 2015): exponentially upwards. No training, so no form offers it."""

    label: ClassVar[str] = "Range test"
    help: ClassVar[str] = "Up exponentially, to see at which rate the loss falls fastest."
    kind: Literal["range_test"] = "range_test"  # type: ignore[mutable-override]
    span: float = option(1e7, "Highest / lowest", "How many times the optimizer's rate is reached.", gt=1, le=1e12)
    steps: int = option(150, "Steps", "After how many it is reached; training ends there.", ge=10, le=10_000)

    def _curve(self, steps: Floats, total: int, per_epoch: int) -> Floats:
        return np.power(self.span, np.minimum(steps / (self.steps - 1), 1.0))

    def course(self) -> str:
        return f"rises exponentially over {self.steps} steps"


SCHEDULES: tuple[type[Schedule], ...] = (
    Constant, StepDecay, ExponentialDecay, CosineDecay, CosineDecayRestarts, PolynomialDecay, OneCycle,
)  # fmt: skip
"""Every schedule that forms offer, in their order."""

ScheduleSpec = Annotated[
    Constant | StepDecay | ExponentialDecay | CosineDecay | CosineDecayRestarts | PolynomialDecay | OneCycle
    | RangeTest,
    Field(discriminator="kind"),
    BeforeValidator(from_name),
]  # fmt: skip


def rates_on_grid(
    schedule: Schedule, learning_rate: float, total_steps: int, steps_per_epoch: int
) -> tuple[NDArray[np.int64], Floats]:
    """Steps spread over the training, the first and the last among them, and the learning rate at each: both (n,).

    The rates are as the optimizer holds them, in single precision: beyond 3.4e38 they are infinite, below 1e-45 0.
    """
    steps = np.unique(np.linspace(0, total_steps - 1, GRID).round().astype(np.int64))
    with np.errstate(over="ignore", under="ignore"):
        rates = learning_rate * schedule.factors(steps, total_steps, steps_per_epoch)
        return steps, rates.astype(np.float32).astype(np.float64)


class ReduceOnPlateau(Spec):
    """Keras's ``ReduceLROnPlateau``, beside any schedule: it follows from the scores and not from the step."""

    label: ClassVar[str] = "Reduce on plateau"
    help: ClassVar[str] = "Multiplies what is left of the schedule whenever a score has stopped getting better."
    monitor: Score = option("val_loss", "Monitor", "The score that has to get better.")
    factor: float = option(0.1, "Times", "The rate is multiplied by this.", gt=0, lt=1)
    patience: int = option(10, "Patience", "Epochs without a better score before that happens.", ge=0, le=10_000)
    min_delta: float = option(1e-4, "Least change", "Better means better by more than this.", ge=0, le=1e6)
    cooldown: int = option(0, "Cooldown", "Epochs after it in which nothing is counted.", ge=0, le=10_000)
    min_lr: float = option(0.0, "Lowest rate", "It never goes below this learning rate.", ge=0, le=100)
