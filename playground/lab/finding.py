"""The learning-rate finder for pages: a sweep as a run of the queue, and what it found."""

import math
from collections.abc import Callable

from playground import data
from playground.errors import NotFound, SpecError
from playground.evaluation.rate_finder import RateSearch
from playground.lab.remember import Remember
from playground.records import Run
from playground.spec import Experiment, changed
from playground.spec.schedules import RangeTest
from playground.store import Store

LOWEST = 1e-6
"""The learning rate at which a sweep begins; it ends at ten."""
MAX_NAME = 80


class Finding:
    """What the button *Find rate* asks for.

    Args:
        store: keeps what sweeps found.
        launch: checks an experiment and queues a run of it.
    """

    def __init__(self, store: Store, launch: Callable[..., Run]) -> None:
        self._store, self._launch = store, launch
        self._known: Remember[RateSearch] = Remember(64)

    def start(self, experiment: Experiment, *, owner: str = "", draft: str = "") -> Run:
        """Queue a sweep of an experiment's learning rate.

        Raises:
            SpecError: the experiment cannot be trained, or starts from saved weights.
        """
        if experiment.start is not None:
            raise SpecError(
                "The search tries learning rates on new weights, and this experiment starts from saved ones. Take a "
                "tenth of the rate that the base was trained at.",
                "start",
            )
        return self._launch(sweep_of(experiment), owner=owner, draft=draft)

    def result(self, run_id: str) -> RateSearch | None:
        """What a sweep found; None as long as it has not ended. Raises NotFound: no such run."""
        run = self._store.run(run_id)
        if not run.status.is_over:
            return None
        try:
            return self._known.get((run_id, run.attempt, run.ended), lambda: self._read(run_id))
        except NotFound:
            return None  # it ended before it began

    def _read(self, run_id: str) -> RateSearch:
        arrays = self._store.read_arrays(run_id, "sweep")
        return RateSearch.from_sweep(arrays["rates"], arrays["losses"])


def sweep_of(experiment: Experiment) -> Experiment:
    """The run that sweeps the learning rate; it depends on neither rate, schedule nor epochs of the experiment."""
    training, schedule = experiment.training, RangeTest()
    name = experiment.name or type(experiment.data).label
    examples = data.describe(experiment.data).train
    size = examples if training.batch_size == "full" else training.batch_size
    return changed(
        experiment,
        name=f"Learning-rate search of {name}"[:MAX_NAME],
        training=changed(
            training,
            optimizer=changed(training.optimizer, learning_rate=LOWEST),
            schedule=schedule,
            reduce_on_plateau=None,
            stop_at_loss=None,
            stop_rules=(),
            epochs=math.ceil(schedule.steps / math.ceil(examples / size)),
            # A sweep goes step by step and is over in a moment: compiling for it would take longer.
            execution="plain",
        ),
    )


def is_search(run: Run) -> bool:
    """Whether a run was no training but a sweep: its weights are of no use to anybody."""
    return isinstance(run.experiment.training.schedule, RangeTest)


def is_of(run: Run, experiment: Experiment) -> bool:
    """Whether a sweep still says something about an experiment."""
    return experiment.start is None and run.experiment.fingerprint() == sweep_of(experiment).fingerprint()
