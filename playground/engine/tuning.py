"""A run that starts from saved weights: they are taken, layers are frozen, and before is compared with after."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from playground.data import describe as describe_data
from playground.engine import caches
from playground.engine.model import compile_model, encode_targets
from playground.engine.model.restore import restore
from playground.engine.training import Learner, Program, Schedule, variables_of
from playground.engine.training.program import EVALUATION_BATCH
from playground.errors import DataMissing, SpecError
from playground.records import Run
from playground.settings import Settings
from playground.spec import DataFacts
from playground.spec.start import Start
from playground.spec.tuning import OUTPUT, check_base, keeps_head, may_have_seen, stages
from playground.store import Store


class Tuning:
    """What a start means for one run.

    Args:
        store: keeps the weights.
        settings: where old data lies.
        run: has an experiment with a start.
        start: that start.
        facts: of the experiment's data.

    Raises:
        NotFound: the base is gone, or kept no such weights.
        SpecError: base and experiment do not fit.
    """

    def __init__(self, store: Store, settings: Settings, run: Run, start: Start, facts: DataFacts) -> None:
        self._store, self._settings, self._run, self._start, self._facts = store, settings, run, start, facts
        self.base = restore(store, start.base)
        check_base(run.experiment, facts, self.base.experiment, self.base.facts)
        self._keeps_head = keeps_head(start, self.base.facts, facts)
        self.epoch = self.base.epoch if start.plan.takes_optimizer else 0.0
        """From which epoch the training counts."""
        self.before: dict[str, float] | None = None
        """Scores before the first step, by the names that final ones have."""

    @property
    def memory(self) -> dict[str, Any]:
        """What an interrupted run has to know again; JSON. The base may have been trained on meanwhile."""
        return {"epoch": self.epoch, "before": self.before}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Go on from :attr:`memory`."""
        self.epoch, self.before = memory["epoch"], memory["before"]

    @property
    def epochs(self) -> int:
        """With how many epochs the training ends; Continue finishes an epoch that was begun, and counts on from it."""
        if not any(stage.layers for stage in stages(self._run.experiment)):
            return 0
        return math.ceil(self.epoch) + self._run.experiment.training.epochs

    def first_step(self, schedule: Schedule) -> int:
        """Where the training begins."""
        return round(self.epoch * schedule.steps_per_epoch)

    # Before

    def give_weights(self, model: keras.Model) -> None:
        """Give a compiled and built model what the plan takes from the base.

        Raises:
            SpecError: Continue lacks the state of the optimizer.
        """
        if self._start.plan.takes_optimizer:
            self._give_everything(model)
        elif self._start.plan.takes_weights:
            _copy(self.base.model, model, with_head=self._keeps_head)

    def _give_everything(self, model: keras.Model) -> None:
        """Weights, seeds of random layers and optimizer; metrics begin anew."""
        checkpoint = self._store.read_checkpoint(self._start.base.run) if self._start.base.run else None
        if checkpoint is None or float(checkpoint[1]["epoch"]) != self.base.epoch:
            raise SpecError(
                "Continue needs the state of the optimizer, which only a run's newest weights have. Choose those, or "
                "another plan.",
                "start.base.epoch",
            )
        metrics = {id(variable) for variable in model.metrics_variables}
        variables = [variable for variable in variables_of(model) if id(variable) not in metrics]
        for place, variable in enumerate(variables):
            value = checkpoint[0].get(f"v{place}")
            if value is None or value.shape != tuple(variable.shape):
                raise SpecError(
                    "The saved optimizer does not fit this network. Choose another plan, such as Head, then all.",
                    "start.plan",
                )
            variable.assign(value)

    def stages(self, rate: float) -> list[dict[str, Any]]:
        """Each stage for those who look at the run: name, first epoch, learning rate and the layers that learn."""
        found, epoch = [], self.epoch
        for stage in stages(self._run.experiment):
            found.append(
                {"name": stage.name, "from_epoch": epoch, "rate": rate * stage.rate_factor, "trainable": stage.layers}
            )
            epoch += stage.epochs or 0
        return found

    # After

    def compare(self, learner: Learner) -> dict[str, object]:
        """What became of the base: facts of the run, JSON.

        ``before``: scores before the first step. ``stages``: see :meth:`stages`. ``head``: "kept" or "replaced".
        ``weights_changed``: ``[{"layer", "relative"}]``, ‖w − w₀‖ / ‖w₀‖ of all weights of each layer together, None
        where they were all zero. ``old_task``: ``{"before", "after"}``, test scores on the base's own data with its own
        weights and with the tuned ones, under the old output layer where a new one took its place; missing where the
        task is the same, nothing was learned, or the old data is not on this machine. ``may_have_seen``: True where
        the base may know some of the test examples.
        """
        experiment, takes_weights = self._run.experiment, self._start.plan.takes_weights
        found: dict[str, object] = {
            "before": self.before or {},
            "stages": self.stages(experiment.training.optimizer.learning_rate),
            "head": "kept" if takes_weights and self._keeps_head else "replaced",
        }
        if takes_weights and may_have_seen(experiment, self._facts, self.base.experiment, self.base.facts):
            found["may_have_seen"] = True
        with learner.seat() as program, program.averages.in_place():
            found["weights_changed"] = self._weights_changed(program)
            if (old := self._old_task(program)) is not None:
                found["old_task"] = old
        return found

    def _weights_changed(self, program: Program) -> list[dict[str, object]]:
        kept = self._store.kept_epochs(self._run.id)
        if not kept:
            return []
        began = self._store.read_epoch(self._run.id, kept[0])
        place = {id(variable): f"v{number}" for number, variable in enumerate(program.model.variables)}
        # The model may have been made for another run that named its layers otherwise.
        names = [*(layer.id for layer in self._run.experiment.model.layers), OUTPUT]
        found: list[dict[str, object]] = []
        for name, layer in zip(names, program.model.layers[1:], strict=True):
            if layer.weights:
                w0 = _flat([began[place[id(variable)]] for variable in layer.weights])
                w = _flat([np.asarray(variable) for variable in layer.weights])
                size = float(np.linalg.norm(w0))
                found.append({"layer": name, "relative": float(np.linalg.norm(w - w0)) / size if size else None})
        return found

    def _old_task(self, program: Program) -> dict[str, Mapping[str, float]] | None:
        base, ours = self.base.experiment, self._run.experiment
        is_same = base.data == ours.data and (base.seed == ours.seed or not base.data.uses_seed)
        learned = self._start.plan.takes_weights and any(stage.layers for stage in stages(ours))
        if not learned or (is_same and self._keeps_head) or not self._knows_old_data():
            return None
        try:
            data = caches.dataset(base.data, base.seed, self._settings)
        except DataMissing:
            return None
        model = self.base.model
        compile_model(model, base, self.base.facts)
        x, y = data.x_test, encode_targets(data.y_test, base, self.base.facts)

        def judged() -> dict[str, float]:
            scores = model.evaluate(x, y, batch_size=EVALUATION_BATCH, verbose=0, return_dict=True)
            return {f"test_{name}": float(value) for name, value in scores.items()}

        before = judged()
        _copy(program.model, model, with_head=self._keeps_head)
        return {"before": before, "after": judged()}

    def _knows_old_data(self) -> bool:
        """An uploaded model may have been trained on anything: then its data set is one that merely fits, or none."""
        known, facts = describe_data(self.base.experiment.data), self.base.facts
        fits = (known.input_shape, len(known.class_names)) == (facts.input_shape, len(facts.class_names))
        return fits and facts.task in self.base.experiment.training.loss.targets


def _copy(source: keras.Model, target: keras.Model, *, with_head: bool) -> None:
    """Give a network the weights of another one of the same layers; seeds of random layers stay."""
    last = len(source.layers) if with_head else len(source.layers) - 1
    for theirs, ours in zip(source.layers[:last], target.layers[:last], strict=True):
        for value, variable in zip(theirs.weights, ours.weights, strict=True):
            variable.assign(value)


def _flat(arrays: list[NDArray[Any]]) -> NDArray[np.float64]:
    return np.concatenate([array.ravel() for array in arrays]).astype(np.float64)
