"""A whole ``config.json`` -> a ``Model`` of ours: one line of layers, from one input to one Dense output."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from playground.engine.reuse.gate import shown
from playground.engine.reuse.gate_layers import computes_in_float32, read_layer
from playground.engine.reuse.gate_weights import group_names
from playground.errors import ModelRefused
from playground.spec import Model
from playground.spec.experiment import Output
from playground.spec.layers import Activation, Dense, Flatten, Layer

KINDS = {
    ("keras", "Sequential"), ("keras.models", "Sequential"), ("keras.src.models.sequential", "Sequential"),
    ("keras", "Functional"), ("keras.models", "Functional"), ("keras.src.models.functional", "Functional"),
}  # fmt: skip
MAX_LAYERS = 200


@dataclass
class ConfigGate:
    """Reads one config; ``reasons`` collects what speaks against it.

    Args:
        content: the JSON object of ``config.json``.
    """

    content: Mapping[str, Any]
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    model: Model = field(default_factory=Model)
    input_shape: tuple[int, ...] = ()
    groups: list[str] = field(default_factory=list)
    """For each layer of the model, the output layer last: under which name its weights are kept."""

    def __post_init__(self) -> None:
        entries = self._entries()
        if len(entries) > MAX_LAYERS + 1:
            self.reasons.append(f"The network has {len(entries):,} layers; the limit is {MAX_LAYERS}.")
            return
        if self.content["class_name"] == "Functional":
            self._check_line(entries)
        self._read_input(entries[0])
        layers = []
        for entry in entries[1:]:
            layer, reasons = read_layer(entry, self.notes)
            self.reasons += reasons
            if layer is not None:
                layers.append(layer)
        if not self.reasons:
            self._assemble(layers, group_names([entry["class_name"] for entry in entries[1:]]))

    def _entries(self) -> list[Mapping[str, Any]]:
        """The layers as the file lists them. Raises ModelRefused where there is nothing to go on with."""
        kind = str(self.content.get("module")), str(self.content.get("class_name"))
        registered = self.content.get("registered_name")
        if kind not in KINDS or registered not in (None, kind[1]):
            raise ModelRefused([
                f"The model is of the kind {shown(registered or kind[1])}; the playground takes Sequential models, and "
                "functional ones whose layers stand in one line."
            ])  # fmt: skip
        config = self.content.get("config")
        layers = config.get("layers") if isinstance(config, dict) else None
        if not isinstance(layers, list) or not layers or not all(isinstance(layer, dict) for layer in layers):
            raise ModelRefused(["The description of the network lists no layers. Save the model again with Keras."])
        return layers

    def _read_input(self, entry: Mapping[str, Any]) -> None:
        config = entry.get("config")
        if (entry.get("module"), entry.get("class_name")) != ("keras.layers", "InputLayer") or not isinstance(
            config, dict
        ):
            self.reasons.append(
                "The network does not begin with an input. Call it once, or give it an Input, and save it."
            )
            return
        shape = config.get("batch_shape")
        sizes = shape[1:] if isinstance(shape, list) else []
        if not 1 <= len(sizes) <= 3 or not all(type(size) is int and 1 <= size <= 4096 for size in sizes):
            self.reasons.append(f"The input has the shape {shown(shape)}; it has to be 1 to 3 known sizes.")
        elif not computes_in_float32(config.get("dtype", "float32")) or config.get("sparse") or config.get("ragged"):
            self.reasons.append("The input does not take plain float32 numbers.")
        else:
            self.input_shape = tuple(sizes)

    def _check_line(self, entries: list[Mapping[str, Any]]) -> None:
        """Each layer of a functional model has to take exactly what the one before it gives."""
        config = self.content["config"]
        for entry, previous in zip(entries, [None, *entries], strict=False):
            wanted = [] if previous is None else [[previous.get("name"), 0, 0]]
            if _sources(entry) != wanted:
                self.reasons.append(
                    f"The layer {shown(entry.get('name'))} does not follow the one before it, or stands in training "
                    "mode; the playground takes layers in one line."
                )
        for key, entry in (("input_layers", entries[0]), ("output_layers", entries[-1])):
            if config.get(key) not in ([entry.get("name"), 0, 0], [[entry.get("name"), 0, 0]]):
                self.reasons.append(f"The network has more than one of its {key.replace('_', ' ')}, or others.")

    def _assemble(self, layers: list[Layer], groups: list[str]) -> None:
        *hidden, last = layers or [Flatten()]
        if (
            isinstance(last, Activation)
            and hidden
            and isinstance(hidden[-1], Dense)
            and hidden[-1].activation == "linear"
        ):
            *hidden, dense = hidden
            last, groups = dense.model_copy(update={"activation": last.activation}), groups[:-1]
        if not isinstance(last, Dense) or not last.use_bias:
            self.reasons.append(
                "The last layer has to be a Dense layer with a bias, perhaps with an activation after it."
            )
            return
        if len(self.input_shape) == 2:
            if not hidden or not isinstance(hidden[0], Flatten):
                self.reasons.append("The input has two sizes and no Flatten after it; the playground has no such data.")
            self.input_shape = (*self.input_shape, 1)  # flattened, a picture with one channel is the same vector
        names = [layer.id for layer in hidden]
        output = {"units": last.units, "activation": last.activation, "kernel_initializer": last.kernel_initializer}
        try:
            named = [layer if names.count(layer.id) == 1 else layer.model_copy(update={"id": ""}) for layer in hidden]
            self.model = Model.model_validate({"layers": named, "output": Output.model_validate(output)})
        except ValidationError as error:
            self.reasons += [f"The network cannot be built here: {problem['msg']}." for problem in error.errors()]
        self.groups = groups


def _sources(entry: Mapping[str, Any]) -> object:
    """From where a layer of a functional model takes its inputs: a list of [layer, node, tensor]; None: unheard of."""
    nodes = entry.get("inbound_nodes")
    if not isinstance(nodes, list) or len(nodes) > 1:
        return None
    if not nodes:
        return []
    try:
        (tensor,) = nodes[0]["args"]
        passive = all(value in (None, False) for value in nodes[0]["kwargs"].values())
        return [tensor["config"]["keras_history"]] if tensor["class_name"] == "__keras_tensor__" and passive else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
