"""The learning rate over a training, drawn before there is one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from playground.displays import palette
from playground.displays.figure import Figure
from playground.spec import Training
from playground.spec.schedules import rates_on_grid

LOW = 20.0
"""A rate that is so many times below the highest cannot be read on a linear axis."""
NEARLY_NONE = 1e-3
"""Share of the highest rate below which a rate is called nearly 0."""


@dataclass(frozen=True, eq=False)
class RateCurve:
    """The learning rate of a training.

    Args:
        training: whose schedule it is.
        epoch: float64 (n,), epochs seen before a step.
        rate: float64 (n,), of that step; what is not finite is left out of the picture.
    """

    training: Training
    epoch: NDArray[np.float64]
    rate: NDArray[np.float64]

    @classmethod
    def from_training(cls, training: Training, steps_per_epoch: int) -> "RateCurve":
        """The curve of a training that is asked for; also of one that would be refused."""
        steps, rate = rates_on_grid(
            training.schedule, training.optimizer.learning_rate, training.epochs * steps_per_epoch, steps_per_epoch
        )
        return cls(training, steps / steps_per_epoch, rate)

    def plot(self) -> Figure:
        """One line; on a logarithmic axis where most of it is far below its peak."""
        drawn = np.isfinite(self.rate)
        if self.is_log:
            drawn &= self.rate > 0
        data = pa.table({"epoch": self.epoch[drawn], "rate": self.rate[drawn]})
        return Figure("Learning rate over the epochs", _spec(self.is_log), data, self.summary())

    @property
    def is_log(self) -> bool:
        """Whether most of the curve would lie on the ground of a linear axis."""
        known = self.rate[np.isfinite(self.rate) & (self.rate > 0)]
        return bool(np.median(known) < known.max() / LOW)

    def summary(self) -> str:
        """What the rate does, in a sentence."""
        schedule, epochs = self.training.schedule, self.training.epochs
        course, warmup = schedule.course(), schedule.warmup_epochs
        peak = self.rate[np.argmax(self.epoch >= warmup)] if warmup else self.rate[0]
        if warmup:
            said = f"Rises to {peak:.3g} over {warmup:g} epoch{'s' * (warmup != 1)}, then "
        else:
            said = f"Starts at {peak:.3g}, " if course else ""
        end = f"to {self._end()} at epoch {epochs:,}"
        said += f"{course} {end}." if course else f"stays at {peak:.3g} to epoch {epochs:,}."
        plateau = self.training.reduce_on_plateau
        if plateau is not None:
            said += f" All that is multiplied by {plateau.factor:g} whenever {plateau.monitor} stops getting better."
        return said[0].upper() + said[1:]

    def _end(self) -> str:
        last, highest = self.rate[-1], np.nanmax(self.rate)
        if not np.isfinite(last):
            return "infinity"
        return f"{last:.2g}" if self.is_log or last > NEARLY_NONE * highest else "nearly 0"


def _spec(is_log: bool) -> dict[str, Any]:
    tooltip = [
        {"field": "epoch", "type": "quantitative", "format": ".2f", "title": "Epoch"},
        {"field": "rate", "type": "quantitative", "format": ".3g", "title": "Learning rate"},
    ]
    scale = {"type": "log"} if is_log else {"zero": True}
    rate = {"field": "rate", "type": "quantitative", "title": "Learning rate", "scale": scale}
    return {
        "height": 200,
        "padding": {"left": 0, "right": 5, "top": 5, "bottom": 0},
        "mark": {"type": "line", "strokeWidth": 2.2, "color": palette.TRAINING},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": "Epoch", "axis": {"tickMinStep": 1}},
            "y": {**rate, "axis": {"format": "~g", "tickCount": 4}},
            "tooltip": tooltip,
        },
    }
