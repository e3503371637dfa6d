"""Experiment -> ``keras.Model``. Spec fields carry Keras's own argument names, so a layer needs no code here."""

import hashlib
from typing import Any

import keras
import numpy as np

from playground.errors import LayerError, SpecError
from playground.spec import DataFacts, Experiment, Layer
from playground.spec.layers import Conv2D, Dense
from playground.spec.losses import SparseCategoricalCrossentropy, Targets

_UNSEEDED = ("zeros", "ones", "identity")


def seed_for(experiment_seed: int, *name: str) -> int:
    """A seed of its own for every initializer and random layer, below 2**31.

    It follows from the experiment's seed and the layer's id alone: Keras's global stream would change whenever another
    thread builds a model.
    """
    digest = hashlib.sha256("/".join([str(experiment_seed), *name]).encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def keras_layer(layer: Layer, seed: int, weight_scale: float = 1.0, dtype: str | None = None) -> keras.layers.Layer:
    """The Keras layer that a spec describes, named by the spec's id; the starting values of its kernel times a factor.

    Args:
        layer: what it is.
        seed: of the experiment.
        weight_scale: that factor, on top of the layer's own gain.
        dtype: a number type or a policy, such as "mixed_float16"; None: float32.

    Raises:
        ValueError: Keras refuses the arguments.
    """
    arguments: dict[str, Any] = layer.model_dump(exclude={"kind", "id", "kernel_gain", "l1", "l2"})
    # Keras's default would be the policy of the whole process, which other models share.
    arguments |= {"name": layer.id, "dtype": dtype or "float32"}
    for name, value in arguments.items():
        if name.endswith("_initializer") and value not in _UNSEEDED:
            config = {"seed": seed_for(seed, layer.id, name)}
            arguments[name] = keras.initializers.get({"class_name": value, "config": config})
    if isinstance(layer, Dense | Conv2D):
        arguments |= _kernel(layer, arguments["kernel_initializer"], weight_scale * layer.kernel_gain)
    kind: str = layer.kind  # type: ignore[attr-defined]  # every layer of the union has one
    if kind == "Dropout":
        arguments["seed"] = seed_for(seed, layer.id)
    return getattr(keras.layers, kind)(**arguments)


def _kernel(layer: Dense | Conv2D, initializer: Any, scale: float) -> dict[str, Any]:
    """How a kernel starts and what its size adds to the loss, as arguments of Keras."""
    arguments: dict[str, Any] = {}
    if scale != 1:
        draw = keras.initializers.get(initializer)
        arguments["kernel_initializer"] = lambda shape, dtype=None: scale * draw(shape, dtype)
    if layer.l1 or layer.l2:
        arguments["kernel_regularizer"] = keras.regularizers.L1L2(layer.l1, layer.l2)
    return arguments


def targets_of(experiment: Experiment, facts: DataFacts) -> Targets:
    """The form in which the experiment's loss wants ``y``."""
    return experiment.training.loss.targets_for(facts.task)


def output_layer(experiment: Experiment, facts: DataFacts) -> Dense:
    """The last layer: what the person set, else what follows from task and loss."""
    output, loss = experiment.model.output, experiment.training.loss
    targets = targets_of(experiment, facts)
    units = len(facts.class_names) if targets in ("index", "onehot") else 1
    usual = {"index": "softmax", "onehot": "softmax", "binary": "sigmoid", "real": "linear"}[targets]
    return Dense(
        id="output",
        units=output.units or units,
        activation=output.activation or loss.activation or usual,  # type: ignore[arg-type]
        **output.model_dump(exclude={"units", "activation"}),
    )


def stack(experiment: Experiment, facts: DataFacts) -> list[Layer]:
    """All layers from first to last, the output layer included."""
    return [*experiment.model.layers, output_layer(experiment, facts)]


def build_model(experiment: Experiment, facts: DataFacts, dtype: str | None = None) -> keras.Model:
    """The network, with its starting weights, not compiled.

    It computes in the precision of the training, its weights being float32; in mixed precision the output layer alone
    is float32, because probabilities of 16 bits are too coarse for a loss. ``dtype``, where given, wins for all layers.

    Raises:
        LayerError: Keras refuses a layer where it stands.
    """
    inputs = x = keras.Input(facts.input_shape, name="input", dtype=dtype)
    layers = stack(experiment, facts)
    policies = [dtype or experiment.training.precision] * (len(layers) - 1) + [dtype or "float32"]
    for index, (layer, policy) in enumerate(zip(layers, policies, strict=True)):
        try:
            x = keras_layer(layer, experiment.seed, experiment.model.weight_scale, policy)(x)
        except (ValueError, TypeError) as error:
            at = index if index < len(layers) - 1 else -1
            raise LayerError(_in_plain_words(layer, index, x.shape[1:], error), at) from error
    return keras.Model(inputs, x, name="model")


def _in_plain_words(layer: Layer, index: int, shape: tuple[int, ...], error: Exception) -> str:
    """Keras's complaint about a layer, as one sentence of what and one of what to do."""
    kind, said = type(layer).label, str(error)
    size = "×".join(str(side) for side in shape)
    if "negative" in said.lower():
        return (
            f"Layer {index + 1} ({kind}) has a window larger than its {size} input. Make the window smaller, choose "
            'padding "same", or remove a layer before it.'
        )
    if "dilation_rate > 1" in said:
        return f"Layer {index + 1} ({kind}) has strides and dilation above 1. Set one of the two to 1."
    first = said.strip().splitlines()[0].rstrip(".") if said.strip() else type(error).__name__
    return f"Layer {index + 1} ({kind}) does not accept its {size} input: {first}. Change its settings, or move it."


def compile_model(model: keras.Model, experiment: Experiment, facts: DataFacts) -> None:
    """Attach loss, optimizer and metrics, all built, so that nothing random or slow is left for the first step."""
    training = experiment.training
    model.compile(
        optimizer=keras_optimizer(experiment),
        loss=loss_of(experiment, facts),
        metrics=[_metric(name, experiment, facts) for name in training.metrics],
        jit_compile=False,
    )


def keras_optimizer(experiment: Experiment) -> keras.optimizers.Optimizer:
    """The optimizer of the experiment; for float16 inside one that scales the loss, as Keras has it."""
    spec = experiment.training.optimizer
    optimizer = getattr(keras.optimizers, spec.kind)(**spec.model_dump(exclude={"kind"}))
    if experiment.training.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def _gives_logits(experiment: Experiment, facts: DataFacts) -> bool:
    return output_layer(experiment, facts).activation == "linear"


def loss_of(experiment: Experiment, facts: DataFacts, dtype: str | None = None) -> keras.losses.Loss:
    """The loss of the experiment: called with encoded targets and outputs, it gives the mean over the examples."""
    spec = experiment.training.loss
    arguments, kind = spec.model_dump(exclude={"kind"}), type(spec).__name__
    if isinstance(spec, SparseCategoricalCrossentropy):
        # Keras smooths one-hot targets only; without smoothing this is the same loss of class numbers.
        kind = "CategoricalCrossentropy" if spec.label_smoothing else kind
        arguments = arguments if spec.label_smoothing else {}
    # A linear output under a cross-entropy gives logits; Keras has the stable formula for them.
    if "crossentropy" in spec.kind and _gives_logits(experiment, facts):
        arguments["from_logits"] = True
    return getattr(keras.losses, kind)(**arguments, dtype=dtype)


def _metric(name: str, experiment: Experiment, facts: DataFacts) -> keras.metrics.Metric:
    targets = targets_of(experiment, facts)
    activation = output_layer(experiment, facts).activation
    # Sigmoid and softmax decide at one half; tanh and a linear output are centred on 0.
    threshold = 0.0 if activation in ("linear", "tanh") else 0.5
    match name:
        case "accuracy" if targets == "index":
            return keras.metrics.SparseCategoricalAccuracy(name=name)
        case "accuracy" if targets == "onehot":
            return keras.metrics.CategoricalAccuracy(name=name)
        case "accuracy":
            return keras.metrics.BinaryAccuracy(name=name, threshold=threshold)
        case "precision":
            return keras.metrics.Precision(name=name, thresholds=threshold)
        case "recall":
            return keras.metrics.Recall(name=name, thresholds=threshold)
        case "auc":
            # The order of the scores is all that counts, so the sigmoid of tanh serves as well.
            return keras.metrics.AUC(name=name, from_logits=threshold == 0.0, multi_label=targets == "onehot")
        case "top_3_accuracy" if targets == "index":
            return keras.metrics.SparseTopKCategoricalAccuracy(k=3, name=name)
        case "top_3_accuracy":
            return keras.metrics.TopKCategoricalAccuracy(k=3, name=name)
        case "mean_absolute_error":
            return keras.metrics.MeanAbsoluteError(name=name)
        case "mean_squared_error":
            return keras.metrics.MeanSquaredError(name=name)
        case "root_mean_squared_error":
            return keras.metrics.RootMeanSquaredError(name=name)
        case "r2_score":
            return keras.metrics.R2Score(name=name)
    raise SpecError(f"There is no metric {name!r}. Leave it out.", "training.metrics")


def encode_targets(y: np.ndarray, experiment: Experiment, facts: DataFacts) -> np.ndarray:
    """``y`` as the loss wants it.

    Args:
        y: int32 class index (n,), or float32 (n,) for regression.

    Returns:
        int32 (n,) for "index"; float32 (n, classes) for "onehot"; float32 (n, 1) for "binary" and "real".
    """
    targets = targets_of(experiment, facts)
    if targets == "index":
        return y.astype(np.int32)
    if targets == "onehot":
        return np.eye(len(facts.class_names), dtype=np.float32)[y]
    return y.astype(np.float32)[:, None]


def scores_of(outputs: np.ndarray, experiment: Experiment, facts: DataFacts) -> np.ndarray:
    """What the network's outputs say, in one form for all losses.

    Args:
        outputs: float32 (n, units), straight from the network.

    Returns:
        float32 (n, classes) of probabilities; (n,) probability of class 1 for a binary task; (n,) predicted number.
    """
    activation = output_layer(experiment, facts).activation
    if facts.task == "regression":
        return outputs[:, 0]
    if outputs.shape[1] == 1:
        score = outputs[:, 0]
        if activation == "tanh":
            return (score + 1) / 2
        return 1 / (1 + np.exp(-np.clip(score, -60, 60))) if activation == "linear" else np.clip(score, 0, 1)
    if activation != "softmax":
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    return outputs[:, 1] if facts.task == "binary" else outputs
