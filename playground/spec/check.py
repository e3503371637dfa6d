"""What cannot work, said before anything runs: the rules between the parts of an experiment.

Pure functions over an experiment and the facts of its data. Shapes inside the stack are Keras's to judge (the engine's
``describe``); here is what needs no Keras.
"""

from playground.errors import LayerError, SpecError
from playground.spec.data import DataFacts
from playground.spec.experiment import Experiment
from playground.spec.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D, Pooling
from playground.spec.losses import losses_for
from playground.spec.tuning import check_start

SCORES_OF_CLASSES = ("accuracy", "precision", "recall", "auc", "top_3_accuracy")
SCORES_OF_NUMBERS = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score")


def metrics_for(experiment: Experiment, facts: DataFacts) -> list[str]:
    """The metrics that fit the task and the form of the targets."""
    if facts.task == "regression":
        return list(SCORES_OF_NUMBERS)
    targets = experiment.training.loss.targets.get(facts.task)
    metrics = ["accuracy"]
    if targets != "index":  # Keras's precision, recall and AUC compare element by element
        metrics += ["precision", "recall", "auc"]
    if len(facts.class_names) > 3:
        metrics.append("top_3_accuracy")
    return metrics


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
            if metric in ("precision", "recall", "auc") and loss.targets[facts.task] == "index":
                remedy = "Choose the loss categorical_crossentropy (one-hot targets), or leave the metric out"
            raise SpecError(f"The metric {metric} does not fit this task and loss. {remedy}.", "training.metrics")
    if isinstance(training.batch_size, int) and training.batch_size > facts.train:
        raise SpecError(
            f"The batch size {training.batch_size:,} is larger than the {facts.train:,} training examples. Choose at "
            'most that, or "full".',
            "training.batch_size",
        )
    _check_output(experiment, facts)
    _check_ranks(experiment, facts)
    check_start(experiment)


def _check_output(experiment: Experiment, facts: DataFacts) -> None:
    units, classes = experiment.model.output.units, len(facts.class_names)
    targets = experiment.training.loss.targets[facts.task]
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
