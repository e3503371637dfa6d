"""What a comparison of two networks says. Apart from what computes it: SciPy is not for the first page."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """One network against another: ``after`` is the one in question, ``before`` what it is held against."""

    score: str
    """What is compared: "accuracy", "mean absolute error", or another metric's name."""
    before: float
    after: float
    low: float
    """Lower end of the interval of ``difference``."""
    high: float
    pairs: int
    """How many differences were taken."""
    over: Literal["test examples", "seeds"]
    p_value: float
    """How often a difference at least as large arises where there is none: McNemar's exact test or the paired t-test;
    NaN where there is no such test."""
    higher_is_better: bool = True

    @property
    def difference(self) -> float:
        """``after − before``."""
        return self.after - self.before

    @property
    def helped(self) -> bool | None:
        """Whether ``after`` is better; None where the interval includes 0, so that it may be either."""
        if self.low <= 0 <= self.high:
            return None
        return (self.difference > 0) == self.higher_is_better

    def sentence(self, after: str, before: str) -> str:
        """Did it help, by how much, how sure.

        Args:
            after: what the one network is called at the beginning of a sentence, such as "Fine-tuning".
            before: what the other one is called within a sentence, such as "training from scratch".
        """
        verdict = {
            True: f"{after} beats {before}",
            False: f"{after} falls behind {before}",
            None: f"No sure difference between {after[0].lower()}{after[1:]} and {before}",
        }[self.helped]
        interval = f"{self._signed(self.low)} to {self._signed(self.high)} over {self.pairs:,} {self.over}"
        said = (
            f"{verdict}: {self.score} {self._value(self.after)} against {self._value(self.before)}, a difference of "
            f"{self._signed(self.difference)}{self._unit} (95% interval {interval}{self._chance})."
        )
        return said if self.helped is not None else f"{said} The interval includes 0, so it could be either."

    @property
    def _is_share(self) -> bool:
        return self.score == "accuracy"

    @property
    def _unit(self) -> str:
        return " percentage points" if self._is_share else ""

    @property
    def _chance(self) -> str:
        if math.isnan(self.p_value):
            return ""
        return ", p < 0.001" if self.p_value < 0.001 else f", p = {self.p_value:.2g}"

    def _value(self, value: float) -> str:
        return f"{value:.1%}" if self._is_share else f"{value:.3g}"

    def _signed(self, value: float) -> str:
        text = f"{100 * value:+.1f}" if self._is_share else f"{value:+.3g}"
        return text.replace("-", "−")
