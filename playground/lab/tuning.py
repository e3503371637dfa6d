"""Fine-tuning for pages: what one may start from, what is planned, whether it fits, and the runs that are queued."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground import data
from playground.errors import SpecError
from playground.lab.finding import is_search
from playground.records import Run, RunStatus, SavedModel
from playground.spec import DataFacts, DataSpec, Experiment, changed, check
from playground.spec.saved import Saved
from playground.spec.start import EvaluateOnly, FromScratch, HeadThenAll, TuningPlan
from playground.spec.tuning import check_base, keeps_head, may_have_seen, tuned
from playground.store import Store

RECENT = 100
"""How many runs are looked through for bases."""
SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Base:
    """Saved weights that a training can start from."""

    saved: Saved
    name: str
    experiment: Experiment
    facts: DataFacts
    """Of the data that it was trained on."""
    scores: Mapping[str, float]


class Tuning:
    """What the Fine-tune page asks for.

    Args:
        store: where runs and models are kept.
        launch: checks an experiment and queues a run of it.
    """

    def __init__(self, store: Store, launch: Callable[..., Run]) -> None:
        self._store, self._launch = store, launch

    def bases(self) -> list[Base]:
        """Everything one can start from: runs that are over, newest first, then the models of the library."""
        runs = self._store.runs(limit=RECENT)
        trained = [_base_of_run(run) for run in runs if run.status.is_over and run.progress.step and not is_search(run)]
        return [*trained, *(_base_of_model(model) for model in self._store.models())]

    def base(self, saved: Saved) -> Base:
        """What these weights are. Raises NotFound."""
        if saved.model:
            return _base_of_model(self._store.model(saved.model))
        found = _base_of_run(self._store.run(saved.run))
        return Base(saved, found.name, found.experiment, found.facts, found.scores)

    def is_trained(self, saved: Saved) -> bool:
        """Whether nothing is being trained any more of what these weights are of. Raises NotFound."""
        return bool(saved.model) or self._store.run(saved.run).status.is_over

    def found(self, experiment: Experiment) -> Run | None:
        """A run of this experiment that is done, else one that is on its way; the newest one."""
        wanted, statuses = experiment.fingerprint(), (RunStatus.DONE, RunStatus.RUNNING, RunStatus.QUEUED)
        runs = self._store.runs(statuses=statuses, limit=RECENT)
        same = [run for run in runs if run.experiment.fingerprint() == wanted]
        return max(same, key=lambda run: run.status is RunStatus.DONE, default=None)

    def propose(self, base: Base) -> Experiment:
        """The base on its own data, half of the epochs for the head and half for all; to be changed from here."""
        epochs, name = max(base.experiment.training.epochs, 2), f"Fine-tuned: {base.name}"[:80]
        return tuned(base.experiment, base.saved, plan=_half(epochs), epochs=epochs, name=name)

    def with_data(self, experiment: Experiment, new: DataSpec) -> Experiment:
        """The same start on other data; loss, metrics, output layer and batch size follow where they have to.

        Raises:
            NotFound: the base is gone.
            SpecError: the splits of the data would be too small.
        """
        start, training = experiment.start, experiment.training
        if start is None:
            raise SpecError("This experiment starts from no saved weights. Choose a base model first.", "start")
        base, facts = self.base(start.base), data.describe(new)
        followed = tuned(base.experiment, start.base, new, start.plan, head=start.head)
        same: dict[str, Any] = {
            "epochs": training.epochs,
            "optimizer": training.optimizer,
            "batch_size": training.batch_size,
        }
        if isinstance(training.batch_size, int) and training.batch_size > facts.train:
            same["batch_size"] = 2 ** (facts.train.bit_length() - 1)
        followed = changed(followed, training=changed(followed.training, **same))
        return changed(followed, seed=experiment.seed, name=experiment.name)

    def with_plan(self, experiment: Experiment, plan: TuningPlan) -> Experiment:
        """The same start by another plan, of two stages with half of the epochs each. Raises NotFound."""
        start = experiment.start
        if start is None:
            return experiment
        if isinstance(plan, HeadThenAll):
            plan = _half(experiment.training.epochs)
        followed = changed(experiment, start=changed(start, plan=plan))
        if not plan.takes_optimizer:
            return followed
        base = self.base(start.base).experiment  # its optimizer goes on, from its seed
        training = changed(followed.training, optimizer=base.training.optimizer)
        return changed(followed, seed=base.seed, training=training)

    def fits(self, experiment: Experiment) -> list[str]:
        """What happens with the output layer and with the examples, a sentence each.

        Args:
            experiment: starts from a base.

        Raises:
            NotFound: the base is gone.
            SpecError: base, data and plan do not fit together; the message says which sizes and what to change.
        """
        start = experiment.start
        if start is None:
            return []
        base, facts = self.base(start.base), data.describe(experiment.data)
        check(experiment, facts)
        check_base(experiment, facts, base.experiment, base.facts)
        if start.plan.takes_optimizer and (start.base.model or start.base.epoch is not None):
            raise SpecError(
                f"{start.plan.label} needs the state of the optimizer, which only the newest weights of a run have. "
                "Choose those, or another plan.",
                "start.base",
            )
        if isinstance(start.plan, FromScratch):
            return ["All layers begin with new weights: of the base model only its layers are used."]
        said = [_about_head(keeps_head(start, base.facts, facts), base.facts, facts)]
        if may_have_seen(experiment, facts, base.experiment, base.facts):
            said.append(
                "This splits the base model's own data anew: some test examples may be among those that it was trained "
                "on, so its scores are too good here."
            )
        return said

    def launch(
        self, experiment: Experiment, *, seeds: int = 1, control: bool = True, draft: str = "", owner: str = ""
    ) -> Run:
        """Queue a run for each seed, and its control from new weights after it; gives the first one.

        Args:
            experiment: starts from a base; its seed is the first.
            seeds: how many runs; their seeds follow each other.
            control: train the same network from new weights as well.
            draft: the draft from which it is launched.
            owner: whose runs they are.

        Raises:
            NotFound: the base is gone.
            SpecError: it cannot be trained; nothing is queued then.
        """
        self.fits(experiment)
        if experiment.start and not self.is_trained(experiment.start.base):
            raise SpecError("The base model is still training. Wait until it is done.", "start.base")
        runs = [
            self._launch(one, draft=draft, owner=owner) for one in _experiments(experiment, seeds, control)
        ]  # fmt: skip
        return runs[0]


def _half(epochs: int) -> HeadThenAll:
    """Half of the epochs for the head, as long as there are enough."""
    return HeadThenAll(head_epochs=min(max(epochs // 2, 1), 10_000))


def _base_of_run(run: Run) -> Base:
    experiment = run.experiment
    name = experiment.name or type(experiment.data).label
    return Base(Saved(run=run.id), name, experiment, data.describe(experiment.data), run.scores)


def _base_of_model(model: SavedModel) -> Base:
    return Base(Saved(model=model.id), model.name, model.experiment, model.facts, model.scores)


def _about_head(kept: bool, base: DataFacts, facts: DataFacts) -> str:
    if kept and base.class_names == facts.class_names:
        what = "The classes are" if facts.class_names else f"The number to predict, {facts.target_name}, is"
        return f"{what} the base model's: the output layer is kept with its weights."
    differ = f"The base model knows {_named(base)}; this data has {_named(facts)}"
    if kept:
        return f"{differ}. The output layer is kept all the same, and each output gets the class of its position."
    return f"{differ}: a new output layer replaces the old one, all other layers keep their weights."


def _named(facts: DataFacts) -> str:
    names = facts.class_names
    if not names:
        return facts.target_name
    return f"{', '.join(names[:10])}{' …' if len(names) > 10 else ''}"


def _experiments(experiment: Experiment, seeds: int, control: bool) -> Iterator[Experiment]:
    """The tuned one and its control for each seed, in the order in which they are trained."""
    start = experiment.start
    for number in range(seeds):
        seeded = changed(experiment, seed=(experiment.seed + number) % SEEDS)
        yield seeded
        if control and start and not isinstance(start.plan, FromScratch | EvaluateOnly):
            name = f"From scratch: {experiment.name.removeprefix('Fine-tuned: ')}"[:80]
            yield changed(seeded, start=changed(start, plan=FromScratch()), name=name)
