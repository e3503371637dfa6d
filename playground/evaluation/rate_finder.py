"""The learning-rate finder: which rate the losses of a sweep suggest.

Smith (2015), "Cyclical learning rates for training neural networks": while the rate grows exponentially from step to
step, the loss first stays, then falls, then diverges. Where it falls most steeply is a good rate to train at.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BETA = 0.9
"""Of the moving average: it looks back about ten steps. The 0.98 of longer sweeps would lag by two powers of 10."""
DIVERGED = 4.0
"""Times the best smoothed loss, from which on the sweep is over."""
SKIPPED = 10
"""Steps left out at the start, where too few losses are averaged."""
LEAST_STEPS = 30


def smooth(losses: ArrayLike, beta: float = BETA) -> Floats:
    """Exponential moving average with the bias correction of Adam (Kingma & Ba, 2015): float64 (n,) like ``losses``."""
    average, smoothed = 0.0, []
    for count, loss in enumerate(np.asarray(losses, np.float64), start=1):
        average = beta * average + (1 - beta) * loss
        smoothed.append(average / (1 - beta**count))
    return np.array(smoothed)


def has_diverged(losses: ArrayLike) -> bool:
    """Whether the smoothed loss is no number any more, or four times the best so far (for a loss below 0: above it by
    three times its size)."""
    smoothed = smooth(losses)
    if not len(smoothed) or not math.isfinite(smoothed[-1]):
        return bool(len(smoothed))
    best = float(smoothed.min())
    return bool(smoothed[-1] > best + (DIVERGED - 1) * abs(best))


@dataclass(frozen=True, eq=False)
class RateSearch:
    """What a sweep found.

    Args:
        rates: float64 (n,), ascending, one a step.
        losses: float64 (n,), of the batch of each step; the last may be no number.
        smoothed: float64 (n,), smoothed from both ends, so that nothing is late.
        suggestion: the learning rate at which the loss falls most steeply, with two significant digits; None where it
            never fell by more than it wavers.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    suggestion: float | None

    @classmethod
    def from_sweep(cls, rates: ArrayLike, losses: ArrayLike) -> "RateSearch":
        """From the rate and the loss of each step."""
        rates, losses = np.asarray(rates, np.float64), np.asarray(losses, np.float64)
        finite = np.isfinite(losses)
        known = losses[finite]
        smoothed = np.full_like(losses, np.nan)
        smoothed[finite] = smooth(smooth(known)[::-1])[::-1]
        return cls(rates, losses, smoothed, _steepest(rates[finite], known, smoothed[finite]))

    @property
    def says(self) -> str:
        """The finding in one or two sentences."""
        if self.suggestion is None:
            return (
                f"The loss never fell clearly between {self.rates[0]:.2g} and {self.rates[-1]:.2g}, so no rate is "
                "suggested. Keep yours, or try another optimizer or a smaller batch size."
                if len(self.rates)
                else "The search ended before its first step."
            )
        lowest = self.rates[np.nanargmin(self.smoothed)]
        return (
            f"The loss falls most steeply at a learning rate of {self.suggestion:g}; it is lowest at {lowest:.2g}, "
            "beyond which training becomes unstable."
        )


def _steepest(rates: Floats, losses: Floats, smoothed: Floats) -> float | None:
    """Where the smoothed loss falls fastest over the logarithm of the rate, before it is lowest."""
    if len(losses) < LEAST_STEPS:
        return None
    lowest = int(np.argmin(smoothed))
    quiet = len(losses) // 3  # rates at which nothing happens yet
    noise = float(np.std(np.diff(losses[:quiet]))) / math.sqrt(2)  # of one loss
    fall = float(np.median(smoothed[:quiet])) - smoothed[lowest]
    if lowest <= SKIPPED or fall <= max(noise, 1e-3 * abs(smoothed[0])):
        return None
    slope = np.gradient(smoothed, np.log10(rates))
    steepest = SKIPPED + int(np.argmin(slope[SKIPPED:lowest]))
    return float(f"{rates[steepest]:.2g}")
