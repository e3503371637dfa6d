"""What a person does to an experiment, as functions from one experiment to the next.

A change in one place is followed where the rest would no longer fit: another task needs another loss, pictures need a
Flatten before a Dense layer, a small data set a small batch. What still fits stays as it was.
"""

from collections.abc import Sequence
from typing import Any

from playground.data import describe
from playground.spec import (
    DATASETS,
    LAYERS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    DataFacts,
    DataSpec,
    Experiment,
    Layer,
    changed,
    metrics_for,
    scores_for,
)
from playground.spec.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D, Pooling
from playground.spec.losses import BinaryCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy
from playground.spec.metrics import rises
from playground.spec.optimizers import CARE
from playground.spec.stopping import STOP_RULES, StopAtScore, Watching

DEFAULT_LOSS = {
    "binary": BinaryCrossentropy,
    "multiclass": SparseCategoricalCrossentropy,
    "regression": MeanSquaredError,
}
DEFAULT_METRICS = {"binary": "accuracy", "multiclass": "accuracy", "regression": "mean_absolute_error"}
NEEDS_PICTURE = (Conv2D, Pooling, GlobalAveragePooling2D)


def with_data_kind(experiment: Experiment, kind: str) -> Experiment:
    """Another data set with its own defaults; the name told of the one before."""
    if kind == experiment.data.kind:
        return experiment
    chosen: Any = next(data for data in DATASETS if data.model_fields["kind"].default == kind)
    return with_data(changed(experiment, name=""), chosen())


def with_data(experiment: Experiment, data: DataSpec) -> Experiment:
    """Another data set, or other settings of it; layers, loss, metrics and batch follow where they have to."""
    facts = describe(data)
    training = experiment.training
    if facts.task not in training.loss.targets:
        training = changed(training, loss=DEFAULT_LOSS[facts.task]())
    if isinstance(training.batch_size, int) and training.batch_size > facts.train:
        training = changed(training, batch_size=2 ** (facts.train.bit_length() - 1))
    model = experiment.model
    if data.family != experiment.data.family:
        model = changed(model, layers=_fitting(model.layers, is_picture=len(facts.input_shape) == 3))
    if facts.task != experiment.data.task:
        model = changed(model, output=type(model.output)())
    return _with_fitting_metrics(changed(experiment, data=data, model=model, training=training))


def with_loss_kind(experiment: Experiment, kind: str) -> Experiment:
    """Another loss with its defaults."""
    if kind == experiment.training.loss.kind:
        return experiment
    loss = next(loss for loss in LOSSES if loss.model_fields["kind"].default == kind)
    return _with_fitting_metrics(changed(experiment, training=changed(experiment.training, loss=loss())))


def with_optimizer_kind(experiment: Experiment, kind: str) -> Experiment:
    """Another optimizer with its own defaults; its learning rate too, for what suits one does not suit another.

    Clipping and averaging stay, which mean the same for all.
    """
    if kind == experiment.training.optimizer.kind:
        return experiment
    optimizer = next(optimizer for optimizer in OPTIMIZERS if optimizer.model_fields["kind"].default == kind)
    care = {name: getattr(experiment.training.optimizer, name) for name in CARE if name != "weight_decay"}
    return changed(experiment, training=changed(experiment.training, optimizer=optimizer(**care)))


def with_schedule_kind(experiment: Experiment, kind: str) -> Experiment:
    """Another schedule with its defaults; the warm-up stays."""
    before = experiment.training.schedule
    if kind == before.kind:
        return experiment
    schedule: Any = next(schedule for schedule in SCHEDULES if schedule.model_fields["kind"].default == kind)
    return with_training(experiment, schedule=schedule(warmup_epochs=before.warmup_epochs))


def with_learning_rate(experiment: Experiment, learning_rate: float) -> Experiment:
    """The same optimizer at another rate."""
    return with_training(experiment, optimizer=changed(experiment.training.optimizer, learning_rate=learning_rate))


def with_training(experiment: Experiment, **values: Any) -> Experiment:
    """Other values of the training."""
    return changed(experiment, training=changed(experiment.training, **values))


def with_stop_rule(experiment: Experiment, kind: str, *, on: bool) -> Experiment:
    """The stop rule of a kind with its defaults, watching a score there is; or none of this kind."""
    rules = [rule for rule in experiment.training.stop_rules if rule.kind != kind]
    if on:
        rule: Any = next(rule for rule in STOP_RULES if rule.model_fields["kind"].default == kind)()
        scores = scores_for(experiment, describe(experiment.data))
        if isinstance(rule, Watching) and rule.monitor not in scores:
            rule = changed(rule, monitor=scores[0])
        if isinstance(rule, StopAtScore) and not rises(rule.monitor):
            rule = changed(rule, threshold=0.1)  # a loss above it is not good enough yet
        rules.append(rule)
    return with_training(experiment, stop_rules=tuple(rules))


def change_stop_rule(experiment: Experiment, kind: str, **values: Any) -> Experiment:
    """Other values of one stop rule."""
    rules = [changed(rule, **values) if rule.kind == kind else rule for rule in experiment.training.stop_rules]
    return with_training(experiment, stop_rules=tuple(rules))


def with_layers(experiment: Experiment, layers: Sequence[Layer]) -> Experiment:
    """Another stack."""
    return changed(experiment, model=changed(experiment.model, layers=tuple(layers)))


def add_layer(experiment: Experiment, kind: str) -> Experiment:
    """A new layer where it most likely belongs: what needs a picture before the first layer that ends pictures."""
    layer = next(layer for layer in LAYERS if layer.model_fields["kind"].default == kind)()
    layers = list(experiment.model.layers)
    place = len(layers)
    if isinstance(layer, NEEDS_PICTURE):
        ends = (k for k, other in enumerate(layers) if isinstance(other, Flatten | GlobalAveragePooling2D | Dense))
        place = next(ends, place)
    return with_layers(experiment, [*layers[:place], layer, *layers[place:]])


def remove_layer(experiment: Experiment, layer_id: str) -> Experiment:
    """The stack without a layer."""
    return with_layers(experiment, [layer for layer in experiment.model.layers if layer.id != layer_id])


def move_layer(experiment: Experiment, layer_id: str, by: int) -> Experiment:
    """A layer further down (+1) or up (−1); its id, and so its starting weights, go with it."""
    layers = list(experiment.model.layers)
    place = next(k for k, layer in enumerate(layers) if layer.id == layer_id)
    target = min(max(place + by, 0), len(layers) - 1)
    layers.insert(target, layers.pop(place))
    return with_layers(experiment, layers)


def change_layer(experiment: Experiment, layer_id: str, **values: Any) -> Experiment:
    """Other values of one layer."""
    return with_layers(
        experiment,
        [changed(layer, **values) if layer.id == layer_id else layer for layer in experiment.model.layers],
    )


def change_output(experiment: Experiment, **values: Any) -> Experiment:
    """Other values of the output layer."""
    output = changed(experiment.model.output, **values)
    return changed(experiment, model=changed(experiment.model, output=output))


def _fitting(layers: Sequence[Layer], *, is_picture: bool) -> list[Layer]:
    """The layers that can stand on this kind of input, in order."""
    if not is_picture:
        kept = [layer for layer in layers if not isinstance(layer, (*NEEDS_PICTURE, Flatten))]
        return kept or [Dense(units=16)]
    if any(isinstance(layer, Flatten | GlobalAveragePooling2D) for layer in layers):
        return list(layers)
    place = next((k for k, layer in enumerate(layers) if not isinstance(layer, NEEDS_PICTURE)), len(layers))
    return [*layers[:place], Flatten(), *layers[place:]]


def _with_fitting_metrics(experiment: Experiment) -> Experiment:
    facts = describe(experiment.data)
    fitting = metrics_for(experiment, facts)
    kept = tuple(metric for metric in experiment.training.metrics if metric in fitting)
    return _with_fitting_care(with_training(experiment, metrics=kept or (DEFAULT_METRICS[facts.task],)), facts)


def _with_fitting_care(experiment: Experiment, facts: DataFacts) -> Experiment:
    """Stop rules that watch what is reported, and class weights for the classes there are."""
    training, scores = experiment.training, scores_for(experiment, facts)
    rules = [rule for rule in training.stop_rules if not isinstance(rule, Watching) or rule.monitor in scores]
    weights, classes = training.class_weight, len(facts.class_names)
    fits = weights is None or (len(weights) == classes if isinstance(weights, tuple) else classes > 0)
    return with_training(experiment, stop_rules=tuple(rules), class_weight=weights if fits else None)
