"""From targets and predictions to scores, by scikit-learn: the one place where final scores are computed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from playground.evaluation.compared import Comparison
from playground.evaluation.results import Classification, ClassScores, Regression, RocCurve

if TYPE_CHECKING:
    from playground.evaluation.classification import classify
    from playground.evaluation.comparison import compare_classes, compare_numbers, compare_seeds
    from playground.evaluation.regression import regress

__all__ = [
    "ClassScores", "Classification", "Comparison", "Regression", "RocCurve", "classify", "compare_classes",
    "compare_numbers", "compare_seeds", "regress",
]  # fmt: skip

_ROOMS = {"classify": "classification", "regress": "regression"} | dict.fromkeys(
    ("compare_classes", "compare_numbers", "compare_seeds"), "comparison"
)


def __getattr__(name: str) -> Any:
    # scikit-learn and SciPy cost a second and 70 MB: they are imported with the first scores, not with the first page.
    if name in _ROOMS:
        return getattr(import_module(f"playground.evaluation.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
