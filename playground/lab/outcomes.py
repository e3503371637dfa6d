"""What came of fine-tuning: the runs that belong together, their scores before and after, and the answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground import evaluation
from playground.errors import NotFound
from playground.evaluation import Comparison
from playground.lab.remember import Remember
from playground.records import Run
from playground.spec import Experiment
from playground.spec.start import EvaluateOnly, FromScratch
from playground.spec.tuning import stages
from playground.store import Store

RECENT = 100
"""How many of an owner's runs are looked through for those that belong together."""

Arrays = Mapping[str, NDArray[Any]]
Scores = dict[str, dict[str, list[float]]]
"""By task ("New task", "Old task") and by whose ("before", "fine-tuned", "from scratch"): a score per seed."""


@dataclass(frozen=True, slots=True)
class Family:
    """Runs that adapt the same base to the same data with the same budget."""

    run: Run
    """The one in question."""
    seeds: tuple[Run, ...]
    """Its plan, a run per seed; it is one of them."""
    controls: tuple[Run, ...]
    """The same from new weights, a run per seed."""
    others: tuple[Run, ...]
    """Other plans with the same seed."""

    @property
    def waiting(self) -> int:
        """How many of the seeds and controls are not over."""
        return sum(not run.status.is_over for run in (*self.seeds, *self.controls))


@dataclass(frozen=True, slots=True)
class Answer:
    """Did it help: against the base as it was, and against new weights. None where that is not known (yet)."""

    before: Comparison | None
    scratch: Comparison | None


class Outcomes:
    """What the Fine-tune page says of runs that start from a base.

    Args:
        store: where runs and their predictions are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrays: Remember[Arrays] = Remember(24)

    def family(self, run: Run) -> Family:
        """The runs that belong together with a run that starts from a base."""
        newest: dict[tuple[str, int], Run] = {}
        for other in reversed([run, *self._store.runs(owner=run.owner, limit=RECENT)]):
            if _is_alike(other.experiment, run.experiment):
                newest[_plan(other.experiment), other.experiment.seed] = other
        plan, scratch = _plan(run.experiment), FromScratch().model_dump_json()
        newest[plan, run.experiment.seed] = run
        by_seed = sorted(newest.items(), key=lambda item: item[0][1])
        return Family(
            run=run,
            seeds=tuple(found for (its, _), found in by_seed if its == plan),
            controls=tuple(found for (its, _), found in by_seed if its == scratch != plan),
            others=tuple(found for (its, seed), found in by_seed
                         if its not in (plan, scratch) and seed == run.experiment.seed),
        )  # fmt: skip

    def renewed(self, family: Family) -> Family:
        """The same runs as they are now: a few rows, where :meth:`family` looks through a hundred. Raises NotFound."""

        def now(runs: tuple[Run, ...]) -> tuple[Run, ...]:
            return tuple(self._store.run(run.id) for run in runs)

        return Family(
            self._store.run(family.run.id), now(family.seeds), now(family.controls), family.others
        )  # fmt: skip

    def answer(self, family: Family) -> Answer:
        """Whether it helped, from the stored predictions of the test examples."""
        before = [self._compared(run, "predictions_before", run) for run in family.seeds]
        controls = {run.experiment.seed: run for run in family.controls}
        scratch = [
            self._compared(controls[run.experiment.seed], "predictions", run)
            for run in family.seeds
            if run.experiment.seed in controls
        ]
        return Answer(_over_seeds(before), _over_seeds(scratch))

    def scores(self, family: Family, metric: str) -> Scores:
        """Test scores of the new task and of the base's own, before and after.

        Args:
            family: the runs.
            metric: Keras's name of a score, such as "accuracy".
        """
        judged = [run for run in family.seeds if run.scores]
        who = _who(family.run.experiment)
        old = [found for run in judged if isinstance(found := run.facts.get("old_task"), Mapping)]
        scores = {
            "New task": {
                "before": _values([run.facts.get("before") for run in judged], metric),
                "from scratch": _values([run.scores for run in family.controls], metric),
                who: _values([run.scores for run in judged], metric),
            },
            "Old task": {
                "before": _values([one.get("before") for one in old], metric),
                who: _values([one.get("after") for one in old], metric),
            },
        }
        return {task: by_who for task, by_who in scores.items() if any(by_who.values())}

    def _compared(self, held_against: Run, name: str, run: Run) -> Comparison | None:
        """A run against another, or against itself before; None where one of them has not been judged."""
        try:
            first, second = self._predictions(held_against, name), self._predictions(run, "predictions")
        except NotFound:
            return None
        y_true = second["y_true_test"]
        scores = first["y_score_test"], second["y_score_test"]
        if len(scores[0]) != len(y_true) or not all(np.isfinite(score).all() for score in scores):
            return None
        if run.experiment.data.task == "regression":
            return evaluation.compare_numbers(y_true, *scores)
        return evaluation.compare_classes(y_true, *scores)

    def _predictions(self, run: Run, name: str) -> Arrays:
        key = run.id, name, run.attempt, run.ended
        return self._arrays.get(key, lambda: self._store.read_arrays(run.id, name))


def _is_alike(one: Experiment, other: Experiment) -> bool:
    """Whether two differ in plan, seed and name at most."""
    if one.start is None or other.start is None:
        return False
    return (one.start.base, one.start.head, one.data, one.model, one.training) == (
        other.start.base, other.start.head, other.data, other.model, other.training,
    )  # fmt: skip


def _who(experiment: Experiment) -> str:
    """What the plan makes of the base, as the scores name it."""
    plan = experiment.start and experiment.start.plan
    if isinstance(plan, EvaluateOnly):
        return "before"  # nothing was trained
    return "from scratch" if isinstance(plan, FromScratch) else "fine-tuned"


def _plan(experiment: Experiment) -> str:
    return experiment.start.plan.model_dump_json() if experiment.start else ""


def _over_seeds(comparisons: list[Comparison | None]) -> Comparison | None:
    """Of one seed the comparison over test examples; of several the one over seeds, as far as they are judged."""
    known = [comparison for comparison in comparisons if comparison is not None]
    if len(known) < 2:
        return known[0] if known else None
    first = known[0]
    return evaluation.compare_seeds(
        [one.before for one in known], [one.after for one in known], first.score,
        higher_is_better=first.higher_is_better,
    )  # fmt: skip


def _values(scores: Sequence[object], metric: str) -> list[float]:
    """The test score of this name in each that has it."""
    known = [one[f"test_{metric}"] for one in scores if isinstance(one, Mapping) and f"test_{metric}" in one]
    return [float(value) for value in known]


def marks(experiment: Experiment) -> tuple[tuple[float, str], ...]:
    """Where each stage of a plan begins, in epochs, and what it is called; none for a plan of one stage."""
    found, epoch = [], 0.0
    parts = stages(experiment)
    for stage in parts:
        found.append((epoch, stage.name))
        epoch += stage.epochs or math.inf
    return tuple(found) if len(found) > 1 else ()
