"""Stop rules: when a training is over before its last epoch. A new one is a class here and one in the engine.

All of them are asked at decisions (after every epoch, or after some where epochs are short), so that the same
experiment ends at the same step on every machine; the time limit alone follows the clock.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from playground.spec.base import Spec, option
from playground.spec.metrics import Score

_MONITOR = "The score that is watched, after every epoch; val_ is that of the validation examples."


class StopRule(Spec):
    """When a training is over before its last epoch."""


class Watching(StopRule):
    """A rule that looks at a score."""

    monitor: Score = option("val_loss", "Monitor", _MONITOR)


class EarlyStopping(Watching):
    """Keras's ``EarlyStopping``, with its names; patience and restoring have the defaults people want."""

    label: ClassVar[str] = "Early stopping"
    help: ClassVar[str] = "Ends once the score has not become better for some epochs: before over-fitting goes far."
    kind: Literal["early_stopping"] = "early_stopping"
    patience: int = option(10, "Patience", "How many epochs in a row may bring nothing better.", ge=0, le=100_000)
    min_delta: float = option(
        0.0, "Least improvement", "Better means: by more than this; a loss L counts if L < best − δ.", ge=0, le=1e6
    )
    start_from_epoch: int = option(0, "Start from epoch", "So many epochs are not looked at.", ge=0, le=100_000)
    restore_best_weights: bool = option(
        True, "Restore best weights", "At the end go back to the weights of the best epoch; off: keep the last ones."
    )


class StopAtScore(Watching):
    label: ClassVar[str] = "Stop at score"
    help: ClassVar[str] = (
        "Ends once a score is good enough: an accuracy has risen to the threshold, a loss fallen below."
    )
    kind: Literal["stop_at_score"] = "stop_at_score"
    monitor: Score = option("val_accuracy", "Monitor", _MONITOR)
    threshold: float = option(0.95, "Threshold", "Good enough; 0.95 is an accuracy of 95%.", ge=-1e6, le=1e6)


class TimeLimit(StopRule):
    label: ClassVar[str] = "Time limit"
    help: ClassVar[str] = "Ends after so many minutes of training; pauses do not count."
    kind: Literal["time_limit"] = "time_limit"
    minutes: float = option(5.0, "Minutes", "How long it may train.", gt=0, le=10_000)


STOP_RULES: tuple[type[EarlyStopping] | type[StopAtScore] | type[TimeLimit], ...] = (
    EarlyStopping, StopAtScore, TimeLimit,
)  # fmt: skip
"""Every stop rule there is, in the order in which forms list them."""

StopRuleSpec = Annotated[EarlyStopping | StopAtScore | TimeLimit, Field(discriminator="kind")]
