"""The laboratory: what pages and the store, the queue and the engine have to do with each other."""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from playground import data
from playground.displays.curves import LearningCurves
from playground.displays.frames import Moment
from playground.displays.surface import DecisionSurface
from playground.errors import EngineUnavailable, LayerError, SpecError
from playground.jobs import EngineStatus, Jobs
from playground.lab.finding import Finding
from playground.lab.health import HealthRecords
from playground.lab.judging import Judging
from playground.lab.library import Library
from playground.lab.outcomes import Outcomes
from playground.lab.remember import Asking, Remember
from playground.lab.steering import Steering
from playground.lab.tuning import Tuning
from playground.lab.watching import Watch, Watching
from playground.records import Description, Run, RunStatus
from playground.settings import Settings
from playground.spec import DataFacts, DataSpec, Experiment, changed, check, explain
from playground.spec.probes import Probe
from playground.spec.saved import Saved
from playground.store import Store

PATIENCE = 0.25
"""Seconds that a page waits for an answer of the engine. A warm one takes 15 ms; the first ones take seconds."""
PROBE_PATIENCE = 5.0
"""The same for a probe, for which a person waits in front of an empty place; the first of its kind is compiled."""

_description = TypeAdapter(Description)


class Lab:
    """One for the whole process; all methods may be called from any thread.

    Args:
        store: where experiments and runs are kept.
        jobs: where questions are answered.
        settings: folders and limits.
    """

    def __init__(self, store: Store, jobs: Jobs, settings: Settings) -> None:
        self._store, self._jobs = store, jobs
        self.settings = settings
        self._descriptions: Asking[Description] = Asking(512, PATIENCE)
        self._probes: Asking[dict[str, Any]] = Asking(64, PROBE_PATIENCE)
        self._openings: Asking[bytes] = Asking(64, PATIENCE)
        self._previews: Asking[data.Preview] = Asking(24, PATIENCE)
        self._surfaces: Remember[DecisionSurface] = Remember(64)
        self._watched: Remember[Watching] = Remember(256)
        self.library = Library(store, jobs, settings, self.delete)
        self.tuning = Tuning(store, self.launch)
        self.steering = Steering(store)
        self.finding = Finding(store, self.launch)
        self.health = HealthRecords(store)
        self.outcomes = Outcomes(store)
        self.judging = Judging(store, self.facts)

    # Experiments

    def facts(self, spec: DataSpec) -> DataFacts:
        """Task, shape and sizes of a data set.

        Raises:
            SpecError: its splits would be too small.
        """
        return data.describe(spec)

    def describe(self, experiment: Experiment) -> Description:
        """What Keras says of the network, or what is wrong with the experiment and at which layer.

        Raises:
            EngineUnavailable: nobody can be asked at the moment.
        """
        try:
            check(experiment, self.facts(experiment.data))
        except LayerError as error:
            return Description(error=str(error), error_index=error.index, error_where=error.where)
        except SpecError as error:
            return Description(error=str(error), error_where=error.where)
        return self._descriptions.get(self._described_by(experiment), lambda: self._ask_for_description(experiment))

    def preview(self, spec: DataSpec, seed: int) -> data.Preview:
        """A few examples of a data set, for a picture.

        Raises:
            EngineUnavailable: nobody can be asked at the moment.
            DataMissing: the data is not on this machine.
        """
        key = spec.model_dump_json(), seed
        return self._previews.get(key, lambda: self._ask_for_preview(spec, seed))

    def opening(self, experiment: Experiment) -> bytes:
        """The picture "network" of an experiment on points before its first step; ``engine.probes.network`` says how
        it is written.

        Raises:
            EngineUnavailable: nobody can be asked at the moment.
            SpecError: there is no such network, or it does not begin with weights from its seed.
        """
        # What rates and epochs there are shows only later.
        key = experiment.data.model_dump_json(), experiment.model.model_dump_json(), experiment.seed
        loss = experiment.training.loss.model_dump_json(), experiment.training.precision, experiment.start is None
        return self._openings.get((*key, *loss), lambda: self._ask_for_opening(experiment))

    def _described_by(self, experiment: Experiment) -> str:
        """What a description depends on; names, seeds, rates and epochs are not part of it."""
        facts, training = self.facts(experiment.data), experiment.training
        model = experiment.model.model_dump(mode="json")
        parts = [facts.task, facts.input_shape, len(facts.class_names), facts.train, model, training.batch_size]
        return json.dumps([*parts, training.loss.kind, training.optimizer.model_dump(exclude={"learning_rate"})])

    def _ask_for_description(self, experiment: Experiment) -> Description:
        self._require_engine()
        answer = self._jobs.ask("describe", experiment.dumps())
        return _description.validate_python(answer)

    def _ask_for_preview(self, spec: DataSpec, seed: int) -> data.Preview:
        self._require_engine()
        answer = self._jobs.ask("preview", spec.model_dump_json(), seed)
        return data.Preview(
            facts=self.facts(spec),
            x=np.asarray(answer["x"]),
            y=np.asarray(answer["y"]),
            part=np.asarray(answer["part"], np.uint8),
        )

    def _ask_for_opening(self, experiment: Experiment) -> bytes:
        self._require_engine()
        drawn: bytes = self._jobs.ask("opening", experiment.dumps())
        return drawn

    def _require_engine(self) -> None:
        """A page must not wait for an engine that is still starting: say so at once."""
        status = self._jobs.status()
        if status.state != "ready":
            raise EngineUnavailable(status.message or "The engine is starting. Wait a few seconds.")

    # Looking inside

    def probe(self, saved: Saved, asked: Probe, inputs: NDArray[Any] | None = None) -> dict[str, Any]:
        """What a probe finds in saved weights: arrays, named as its display wants them.

        Args:
            saved: whose weights.
            asked: the question.
            inputs: examples (n, *input_shape) in the data set's own units, for probes that look at given ones.

        Raises:
            EngineUnavailable: nobody can be asked at the moment, or the answer takes longer than a moment.
            NotFound: no such weights.
            SpecError: the probe does not apply to this network or input; the message says why.
        """
        return self._probes.get(*self._question(saved, asked, inputs))

    def begin_probe(self, saved: Saved, asked: Probe, inputs: NDArray[Any] | None = None) -> None:
        """Let the engine begin with what :meth:`probe` will be asked next; what goes wrong is said there.

        Raises:
            NotFound: no such run.
        """
        self._probes.begin(*self._question(saved, asked, inputs))

    def _question(
        self, saved: Saved, asked: Probe, inputs: NDArray[Any] | None
    ) -> tuple[Hashable, Callable[[], dict[str, Any]]]:
        # The newest weights of a live run are others after a while; all other weights stay as they are.
        moment = self._store.run(saved.run).progress.step if saved.run and saved.epoch is None else 0
        digest = hashlib.sha256(inputs.tobytes()).hexdigest() if inputs is not None else ""
        key = saved.model_dump_json(), asked.kind, asked.model_dump_json(), digest, moment

        def ask() -> dict[str, Any]:
            self._require_engine()
            given = () if inputs is None else (inputs,)
            found: dict[str, Any] = self._jobs.ask("probe", saved.model_dump_json(), asked.model_dump_json(), *given)
            return found

        return key, ask

    def kept_epochs(self, run_id: str) -> list[int]:
        """The epochs of a run whose weights can be looked into, ascending. Raises NotFound."""
        return self._store.kept_epochs(run_id)

    # Drafts and shared experiments

    def new_draft(self, experiment: Experiment) -> str:
        """Keep a new draft under an unguessable id."""
        return self._store.new_draft(experiment)

    def draft(self, draft: str) -> Experiment:
        """The draft under this id. Raises NotFound."""
        return self._store.draft(draft)

    def save_draft(self, draft: str, experiment: Experiment) -> None:
        """Replace the draft. Raises NotFound."""
        self._store.save_draft(draft, experiment)

    def share(self, experiment: Experiment) -> str:
        """Keep an experiment as it is, for a link."""
        return self._store.share(experiment)

    def shared(self, shared: str) -> Experiment:
        """The experiment behind a link. Raises NotFound."""
        return self._store.shared(shared)

    # Runs

    def launch(self, experiment: Experiment, *, draft: str = "", owner: str = "", held: bool = False) -> Run:
        """Queue a run; ``held``: it waits paused until an order or "play" gets it a worker.

        Raises:
            SpecError: the experiment cannot be trained; the message says what to change.
        """
        try:
            description = self.describe(experiment)
        except EngineUnavailable:
            pass  # it trains once the engine is there, and fails with the same words if it cannot
        else:
            if description.error:
                raise SpecError(description.error, description.error_where)
        return self._store.create_run(experiment, draft=draft, owner=owner, held=held)

    def stop(self, run_id: str) -> Run:
        """Ask a run to stop; what it has learned is kept."""
        return self._store.request(run_id, stop=True)

    def resume(self, run_id: str, *, more_epochs: int = 0) -> Run:
        """Queue a run again from where it stopped, with more epochs if it had reached its end.

        Raises:
            NotAllowed: it is not over.
            SpecError: there would be too many, or its schedule has no rate for them; the message says what to change.
        """
        experiment = self._store.run(run_id).experiment
        if not more_epochs:
            return self._store.resume(run_id)
        try:
            training = changed(experiment.training, epochs=experiment.training.epochs + more_epochs)
        except ValidationError as error:
            raise explain(error) from None
        longer = changed(experiment, training=training)
        check(longer, self.facts(longer.data))
        return self._store.resume(run_id, longer)

    def delete(self, run_id: str) -> None:
        """Forget a run and its files.

        Raises:
            NotAllowed: it is queued or live.
        """
        self._store.delete_run(run_id)
        self._watched.forget(run_id)

    def run(self, run_id: str) -> Run:
        """One run. Raises NotFound."""
        return self._store.run(run_id)

    def runs(
        self, *, owner: str | None = None, statuses: Iterable[RunStatus] | None = None, limit: int = 100
    ) -> list[Run]:
        """The newest runs, newest first."""
        return self._store.runs(owner=owner, statuses=statuses, limit=limit)

    def watch(self, run_id: str) -> Watch:
        """The newest moment of a run, shared with all others who look.

        Raises:
            NotFound: no such run.
        """
        return self._watching(run_id).look()

    def follow(self, run_id: str, fresh: float | None = None) -> Moment:
        """The same with points and pictures, to be told in frames; at most ``fresh`` seconds old.

        Raises:
            NotFound: no such run.
        """
        return self._watching(run_id).follow(fresh)

    def _watching(self, run_id: str) -> Watching:
        return self._watched.get(run_id, lambda: Watching(self._store, run_id))

    def surface(self, experiment: Experiment, watch: Watch | None) -> DecisionSurface:
        """The examples of an experiment on points in the plane, over what a run has learned of them.

        Raises:
            EngineUnavailable: the examples cannot be asked for at the moment.
        """
        live = watch.surface if watch else None
        key = experiment.data.model_dump_json(), experiment.seed, watch and watch.run.id, live and live[0]

        def draw() -> DecisionSurface:
            preview = self.preview(experiment.data, experiment.seed)
            classes = preview.facts.class_names
            return DecisionSurface.from_examples(preview.x, preview.y, preview.part > 0, classes, live and live[1])

        return self._surfaces.get(key, draw)

    def curves(self, run_id: str) -> LearningCurves:
        """The learning curves of a run. Raises NotFound."""
        return self.watch(run_id).curves

    def engine_status(self) -> EngineStatus:
        """How the engine is."""
        return self._jobs.status()
