"""Fine-tuning: the experiment that adapts a saved network, and what base and experiment must have in common."""

from typing import Any, Literal

from playground.errors import LayerError, SpecError
from playground.spec.base import changed
from playground.spec.data import Collected, Data, DataFacts, Split
from playground.spec.experiment import Experiment
from playground.spec.losses import losses_for
from playground.spec.saved import Saved
from playground.spec.schedules import Constant
from playground.spec.start import Continue, HeadOnly, HeadThenAll, Stage, Start, TuningPlan
from playground.spec.stopping import StopAtScore, StopRule, Watching

Head = Literal["auto", "keep", "replace"]

OUTPUT = "output"
"""The id of the output layer, which follows from the task and stands in no spec."""


def tuned(
    base: Experiment,
    saved: Saved,
    data: Data | None = None,
    plan: TuningPlan | None = None,
    *,
    head: Head = "auto",
    epochs: int | None = None,
    seed: int | None = None,
    name: str = "",
) -> Experiment:
    """The experiment that adapts saved weights: the layers of the base, its optimizer and batch size.

    The loss is the base's where it fits the task of the data. Thresholds at which to stop go on only with
    :class:`Continue`, and class weights of one's own only with the same data: they were chosen for the old task. So
    was the schedule of the learning rate, which came to its end with the base: the rate is constant again.

    Args:
        base: the experiment whose weights are adapted.
        saved: those weights.
        data: what it is adapted to; None: the data of the base.
        plan: which layers learn when; None: the head, then all.
        head: whether the output layer keeps its weights.
        epochs: how many to train; None: as many as the base. They are added to those of the base by Continue.
        seed: for a new head, batches and splits; None: the base's, which :class:`Continue` needs.
        name: what people see in lists.
    """
    data, plan = data or base.data, plan or HeadThenAll()
    training: dict[str, Any] = {"epochs": epochs or base.training.epochs, "schedule": Constant()}
    rules: list[StopRule] = list(base.training.stop_rules)
    if data.task not in base.training.loss.targets:
        training["loss"] = losses_for(data.task)[0]()
        training["metrics"] = () if data.task == "regression" else ("accuracy",)
        training["class_weight"] = training["reduce_on_plateau"] = None
        rules = [rule for rule in rules if not isinstance(rule, Watching)]
    if not isinstance(plan, Continue):
        training["stop_at_loss"] = None
        rules = [rule for rule in rules if not isinstance(rule, StopAtScore)]
    training["stop_rules"] = tuple(rules)
    if data != base.data and isinstance(base.training.class_weight, tuple):
        training["class_weight"] = None
    output = base.model.output
    if data != base.data and head != "keep":
        output = changed(output, units=None)  # as many as the new data has classes
    return Experiment(
        name=name,
        data=data,  # type: ignore[arg-type]  # every data set is one of the union
        model=changed(base.model, output=output),
        training=changed(base.training, **training),
        seed=base.seed if seed is None else seed,
        start=Start(base=saved, plan=plan, head=head),  # type: ignore[arg-type]  # every plan is one of the union
    )


def layers_with_weights(experiment: Experiment) -> tuple[str, ...]:
    """Ids of the layers that can learn, from first to last, the output layer included."""
    return (*(layer.id for layer in experiment.model.layers if type(layer).learns), OUTPUT)


def stages(experiment: Experiment) -> tuple[Stage, ...]:
    """What learns when; one stage of all layers without a start."""
    plan = experiment.start.plan if experiment.start else Continue()
    return plan.stages(layers_with_weights(experiment))


def keeps_head(start: Start, base: DataFacts, facts: DataFacts) -> bool:
    """Whether the output layer starts with its saved weights."""
    if start.head == "auto":
        return (base.task, base.class_names) == (facts.task, facts.class_names) and (
            facts.task != "regression" or base.target_name == facts.target_name
        )
    return start.head == "keep"


def may_have_seen(experiment: Experiment, facts: DataFacts, base: Experiment, base_facts: DataFacts) -> bool:
    """Whether the base may have been trained on test examples of the experiment: its scores are then too good.

    So it is where both split the same collected examples, but not in the same way. Arguments as for
    :func:`check_base`.
    """
    ours, theirs = experiment.data, base.data
    if type(ours) is not type(theirs) or not (isinstance(ours, Split) and isinstance(ours, Collected)):
        return False
    if facts.class_names and not set(facts.class_names) & set(base_facts.class_names):
        return False
    split = {"test_fraction", "stratify", "classes"}
    return (experiment.seed, ours.model_dump(include=split)) != (base.seed, theirs.model_dump(include=split))


def check_start(experiment: Experiment) -> None:
    """Refuse a plan that cannot work whatever the base is.

    Raises:
        SpecError: a layer that should learn has no weights, or a stage would get no epochs.
    """
    if experiment.start is None:
        return
    plan, known = experiment.start.plan, layers_with_weights(experiment)
    if isinstance(plan, HeadOnly) and (strange := [name for name in plan.layers if name not in known]):
        ids = [layer.id for layer in experiment.model.layers]
        why = "has no weights" if strange[0] in ids else "is none of this network's"
        raise SpecError(
            f"The layer {strange[0]!r} {why}, so it cannot learn. Choose from: {', '.join(known)}.", "start.plan.layers"
        )
    *first, last = plan.stages(known)
    taken, epochs = sum(stage.epochs or 0 for stage in first), experiment.training.epochs
    if first and taken >= epochs:
        raise SpecError(
            f"{' and '.join(stage.name for stage in first)} would take {taken} of {epochs} epochs, which leaves none "
            f"for: {last.name}. Train longer, or give the first fewer epochs.",
            "start.plan",
        )


def check_base(experiment: Experiment, facts: DataFacts, base: Experiment, base_facts: DataFacts) -> None:
    """Refuse a base that does not fit.

    Args:
        experiment: has a ``start``.
        facts: of its data.
        base: the experiment whose weights it starts from.
        base_facts: for which those were made.

    Raises:
        SpecError: input or classes have other sizes, or the plan needs an output layer or an optimizer that differs.
        LayerError: the layers differ.
    """
    start = experiment.start
    if start is None:
        return
    if base_facts.input_shape != facts.input_shape:
        raise SpecError(
            f"The base model takes inputs of {_size(base_facts.input_shape)}, {type(experiment.data).label} has "
            f"{_size(facts.input_shape)}. Choose data of that size, or another base model.",
            "data",
        )
    _check_layers(experiment, base)
    kept = keeps_head(start, base_facts, facts)
    if kept and (outputs := _outputs(experiment, facts)) != (known := _outputs(base, base_facts)):
        raise SpecError(
            f"The output layer of the base model has {_units(known)}, this data and loss need {outputs}. Replace the "
            "output layer.",
            "start.head",
        )
    if not kept and (start.plan.takes_optimizer or not any(stage.layers for stage in stages(experiment))):
        raise SpecError(
            f"{type(start.plan).label} needs the output layer as it is, and this data has other classes than the base "
            "model's. Choose a plan that trains a new one, such as Head, then all.",
            "start.plan",
        )
    if start.plan.takes_optimizer:
        _check_continued(experiment, base)


def _check_layers(experiment: Experiment, base: Experiment) -> None:
    ours, theirs = experiment.model.layers, base.model.layers
    if len(ours) != len(theirs):
        raise SpecError(
            f"The network has {len(ours)} layers before its output, the base model {len(theirs)}. Saved weights fit "
            "only the same layers: take those of the base model.",
            "model.layers",
        )
    for index, (layer, saved) in enumerate(zip(ours, theirs, strict=True)):
        if layer != saved:
            raise LayerError(
                f"Layer {index + 1} ({layer.id}) differs from the base model's. Saved weights fit only the same "
                "layers: take those of the base model.",
                index,
            )


def _check_continued(experiment: Experiment, base: Experiment) -> None:
    ours, theirs = experiment.training.optimizer, base.training.optimizer
    if changed(ours, learning_rate=theirs.learning_rate) != theirs:
        raise SpecError(
            f"Continue goes on with the optimizer of the base model ({theirs.kind}) and its settings, except for the "
            "learning rate. Take that optimizer, or choose another plan.",
            "training.optimizer",
        )
    if experiment.seed != base.seed:
        raise SpecError(
            f"Continue goes on with the seed of the base model ({base.seed}), and this experiment has "
            f"{experiment.seed}. Take that seed, or choose another plan.",
            "seed",
        )


def _outputs(experiment: Experiment, facts: DataFacts) -> int:
    """Units of the output layer."""
    targets = experiment.training.loss.targets[facts.task]
    return experiment.model.output.units or (len(facts.class_names) if targets in ("index", "onehot") else 1)


def _units(count: int) -> str:
    return f"{count} unit{'s' * (count != 1)}"


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) + (" numbers" if len(shape) == 1 else "")
