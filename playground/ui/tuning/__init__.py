"""The Fine-tune page: base model, data, plan, and what came of it.

What is chosen is an experiment with a ``start``, on the bench like any other: it is kept as a draft, and undone.
"""

from playground.ui.tuning.base import choose_base
from playground.ui.tuning.data import data_section
from playground.ui.tuning.outcome import is_shown, outcome
from playground.ui.tuning.plan import plan_section, start_section

__all__ = ["choose_base", "data_section", "is_shown", "outcome", "plan_section", "start_section"]
