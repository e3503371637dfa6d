"""What cannot work, said before anything runs: the rules between the parts of an experiment.

Pure functions over an experiment and the facts of its data. Shapes inside the stack are Keras's to judge (the engine's
``describe``); here is what needs no Keras.
"""

import math

import numpy as np

from playground.errors import LayerError, SpecError
from playground.spec.data import DataFacts
from playground.spec.experiment import Experiment
from playground.spec.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D, Pooling
from playground.spec.losses import losses_for
from playground.spec.schedules import rates_on_grid
from playground.spec.stopping import Watching
from playground.spec.tuning import check_start

SCORES_OF_CLASSES = ("accuracy", "precision", "recall", "auc", "top_3_accuracy")
SCORES_OF_NUMBERS = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score")


def metrics_for(experiment: Experiment, facts: DataFacts) -> list[str]:
    """The metrics that fit the task and the form of the targets."""
    if facts.task == "regression":
        return list(SCORES_OF_NUMBERS)
    loss = experiment.training.loss
    targets = loss.targets_for(facts.task) if facts.task in loss.targets else None
    metrics = ["accuracy"]
    if targets != "index":  # Keras's precision, recall and AUC compare element by element
        metrics += ["precision", "recall", "auc"]
    if len(facts.class_names) > 3:
        metrics.append("top_3_accuracy")
    return metrics


def scores_for(experiment: Experiment, facts: DataFacts) -> list[str]:
    """The scores that are reported while training: loss and metrics, and those of the validation examples."""
    scores = ["loss", *experiment.training.metrics]
    return [*(f"val_{score}" for score in scores if facts.validation), *scores]


def check(experiment: Experiment, facts: DataFacts) -> None:
    """Refuse what cannot be trained.

    Raises:
        SpecError: loss, metrics, batch or split do not fit the data, or a fine-tuning plan cannot work; the message
            says what to change.
        LayerError: a layer cannot stand where it stands, as far as that is known without Keras.
    """
    training, loss = experiment.training, experiment.training.loss
    if not experiment.model.layers:
        raise SpecError("The network has no layers. Add at least one, for instance a Dense layer.", "model.layers")
    if facts.task not in loss.targets:
        fitting = ", ".join(fit.model_fields["kind"].default for fit in losses_for(facts.task))
        raise SpecError(
            f"The loss {loss.kind} does not fit a {facts.task} task. Choose one of: {fitting}.", "training.loss"
        )
    for metric in training.metrics:
        if metric not in metrics_for(experiment, facts):
            remedy = f"Choose from: {', '.join(metrics_for(experiment, facts))}"
            if metric in ("precision", "recall", "auc") and loss.targets_for(facts.task) == "index":
                remedy = "Choose the loss categorical_crossentropy (one-hot targets), or leave the metric out"
            raise SpecError(f"The metric {metric} does not fit this task and loss. {remedy}.", "training.metrics")
    if isinstance(training.batch_size, int) and training.batch_size > facts.train:
        raise SpecError(
            f"The batch size {training.batch_size:,} is larger than the {facts.train:,} training examples. Choose at "
            'most that, or "full".',
            "training.batch_size",
        )
    _check_care(experiment, facts)
    check_schedule(experiment, facts)
    _check_output(experiment, facts)
    _check_ranks(experiment, facts)
    check_start(experiment)


def _check_care(experiment: Experiment, facts: DataFacts) -> None:
    """Stop rules watch what is reported; class weights have classes."""
    training, scores = experiment.training, scores_for(experiment, facts)
    for number, rule in enumerate(training.stop_rules):
        if isinstance(rule, Watching) and rule.monitor not in scores:
            raise SpecError(
                f"{rule.label} watches {rule.monitor}, which this training does not report. Choose one of: "
                f"{', '.join(scores)}.",
                f"training.stop_rules.{number}.monitor",
            )
    weights, classes = training.class_weight, len(facts.class_names)
    if weights is not None and not classes:
        raise SpecError(
            "Class weights need classes, and this is a regression. Leave them out.", "training.class_weight"
        )
    if isinstance(weights, tuple) and len(weights) != classes:
        raise SpecError(
            f"There are {len(weights)} class weights for {classes} classes. Give one number a class.",
            "training.class_weight",
        )
    if isinstance(weights, tuple) and not any(weights):
        raise SpecError("All class weights are 0, so nothing would be learned. Raise one.", "training.class_weight")


def check_schedule(experiment: Experiment, facts: DataFacts) -> None:
    """Refuse learning rates that nothing can be trained at.

    Raises:
        SpecError: the rate becomes 0 before the end or infinite, the warm-up takes the whole training, or the score
            that a reduction on plateau watches is not known.
    """
    training, where = experiment.training, "training.schedule"
    batch_size = facts.train if training.batch_size == "full" else training.batch_size
    steps_per_epoch = math.ceil(facts.train / batch_size)
    warmup = training.schedule.warmup_epochs
    if warmup >= training.epochs:
        raise SpecError(
            f"The warm-up of {warmup:g} epochs takes the whole training of {training.epochs:,}. Shorten it, or train "
            "longer.",
            where,
        )
    steps, rates = rates_on_grid(
        training.schedule, training.optimizer.learning_rate, training.epochs * steps_per_epoch, steps_per_epoch
    )
    for wrong, what, remedy in (
        (~np.isfinite(rates), "grows beyond all numbers", "Lower its factor, or apply it less often"),
        (rates == 0, "falls to 0", "Raise its floor, or let it fall more slowly: at 0 nothing is learnt"),
    ):
        if wrong.any():
            epoch = steps[np.argmax(wrong)] / steps_per_epoch
            raise SpecError(f"The learning rate {what} at epoch {epoch:.4g} of {training.epochs:,}. {remedy}.", where)
    plateau, scores = training.reduce_on_plateau, scores_for(experiment, facts)
    if plateau is not None and plateau.monitor not in scores:
        raise SpecError(
            f"Reduce on plateau watches {plateau.monitor}, which this training does not report. Choose one of: "
            f"{', '.join(scores)}.",
            "training.reduce_on_plateau.monitor",
        )


def _check_output(experiment: Experiment, facts: DataFacts) -> None:
    units, classes = experiment.model.output.units, len(facts.class_names)
    targets = experiment.training.loss.targets_for(facts.task)
    wanted = {"index": classes, "onehot": classes, "binary": 1, "real": 1}[targets]
    if units is not None and (units < wanted if targets == "index" else units != wanted):
        raise LayerError(
            f"The output layer has {units} units, but the loss {experiment.training.loss.kind} needs {wanted}. Set "
            f"{wanted}, or leave it empty.",
            -1,
        )


def _check_ranks(experiment: Experiment, facts: DataFacts) -> None:
    """Pictures in, vectors out: the one mistake everybody makes, said in plain words."""
    is_picture = len(facts.input_shape) == 3
    for index, layer in enumerate(experiment.model.layers):
        if isinstance(layer, Conv2D | Pooling | GlobalAveragePooling2D) and not is_picture:
            raise LayerError(
                f"Layer {index + 1} ({layer.kind}) needs a picture, but receives a vector"
                + (" because a Flatten stands before it. Move it up." if facts.family == "images" else
                   f": {type(experiment.data).label} has no pictures. Use Dense layers, or choose picture data."),
                index,
            )  # fmt: skip
        if isinstance(layer, Flatten | GlobalAveragePooling2D):
            is_picture = False
        if isinstance(layer, Dense) and is_picture:
            raise LayerError(f"Layer {index + 1} (Dense) receives a picture. Add a Flatten layer before it.", index)
    if is_picture:
        raise LayerError(
            "The output layer receives a picture. Add a Flatten or GlobalAveragePooling2D layer at the end of the "
            "stack.",
            -1,
        )
