"""How good a finished run is, from the predictions that it stored."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from playground import evaluation
from playground.errors import NotFound
from playground.evaluation import Classification, Regression
from playground.lab.remember import Remember
from playground.spec import DataFacts, DataSpec
from playground.store import Store


class Judging:
    """One for the whole process.

    Args:
        store: where the predictions are.
        facts: of a data set.
    """

    def __init__(self, store: Store, facts: Callable[[DataSpec], DataFacts]) -> None:
        self._store, self._facts = store, facts
        self._known: Remember[Mapping[str, NDArray[Any]]] = Remember(8)

    def predictions(self, run_id: str, split: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """``y_true`` and ``y_score`` of a split ("validation" or "test") of a finished run.

        Raises:
            NotFound: the run has not been judged (yet), or has no such split.
        """
        run = self._store.run(run_id)
        key = run_id, run.attempt, run.ended
        arrays = self._known.get(key, lambda: self._store.read_arrays(run_id, "predictions"))
        if f"y_true_{split}" not in arrays or not len(arrays[f"y_true_{split}"]):
            raise NotFound(f"This run has no {split} examples. Choose the other split.")
        return arrays[f"y_true_{split}"], arrays[f"y_score_{split}"]

    def classification(self, run_id: str, split: str, threshold: float = 0.5) -> Classification:
        """How well a finished run tells classes apart, from the predictions it stored.

        Args:
            run_id: the run.
            split: "validation" or "test".
            threshold: from which score on the second of two classes is predicted.

        Raises:
            NotFound: the run has not been judged (yet), or has no such split.
            PlaygroundError: its predictions are not finite.
        """
        y_true, y_score = self.predictions(run_id, split)
        names = self._facts(self._store.run(run_id).experiment.data).class_names
        return evaluation.classify(y_true, y_score, names, threshold)

    def regression(self, run_id: str, split: str) -> Regression:
        """How near the numbers are that a finished run predicts; arguments and errors as for classes."""
        return evaluation.regress(*self.predictions(run_id, split))
