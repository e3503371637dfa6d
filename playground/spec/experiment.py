"""The experiment: everything that was asked, and nothing that happened."""

import hashlib
import json
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from playground.spec.base import Spec, essence, option
from playground.spec.data import DataSpec, Moons
from playground.spec.layers import INITIALIZER_HELP, KERNEL_GAIN, L1, L2, Activation_, Initializer, LayerSpec
from playground.spec.start import Start
from playground.spec.training import Training

SCHEMA_VERSION: Literal[1] = 1


class Output(Spec):
    """The last layer, where the one that follows from task and loss is not wanted."""

    label: ClassVar[str] = "Output layer"
    units: int | None = option(None, "Units", "Empty: one per class, or one number.", ge=1, le=1000)
    activation: Activation_ | None = option(
        None, "Activation", "Empty: softmax or sigmoid for classes, linear for a number."
    )
    kernel_initializer: Initializer = option("glorot_uniform", "Kernel initializer", INITIALIZER_HELP, advanced=True)
    kernel_gain: float = KERNEL_GAIN
    l1: float = L1
    l2: float = L2


class Model(Spec):
    """A stack of layers; the output layer follows from the task unless it is given."""

    layers: tuple[LayerSpec, ...] = Field(
        (), title="Layers", description="From input to output, without the output layer.", max_length=200
    )
    output: Output = Field(
        Output(), title="Output layer", description="Follows from the task and the loss; what you set here wins."
    )
    weight_scale: float = option(
        1.0, "Starting weights ×", "Factor on every kernel's starting values; 1 leaves them as the initializer draws "
        "them.", gt=0, le=1000, advanced=True, scale="log", later=True,
    )  # fmt: skip

    @field_validator("layers")
    @classmethod
    def _name_every_layer(cls, layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
        # An id once given stays with its layer when the stack is reordered: names and seeds follow from it.
        taken = [layer.id for layer in layers if layer.id]
        if len(set(taken)) != len(taken):
            twice = next(name for name in taken if taken.count(name) > 1)
            raise ValueError(f"two layers have the id {twice!r}; give each a name of its own")
        named = []
        for layer in layers:
            if not layer.id:
                stem = layer.kind.lower()
                name = next(f"{stem}_{n}" for n in range(1, 1000) if f"{stem}_{n}" not in taken)
                taken.append(name)
                layer = layer.model_copy(update={"id": name})
            named.append(layer)
        return tuple(named)


class Experiment(Spec):
    """Data, model, training and seed: the whole of what was asked.

    Immutable. ``schema_version`` says which edition of these classes wrote it.
    """

    schema_version: Literal[1] = option(
        SCHEMA_VERSION, "Schema version", "Which edition of the format this is.", advanced=True
    )
    name: str = option("", "Name", "What people see in lists.", max_length=80)
    data: DataSpec = Field(Moons(), title="Data", description="Which examples, scaled and split how.")
    model: Model = Field(Model(), title="Model", description="The layers.")
    training: Training = Field(Training(), title="Training", description="Loss, optimizer, batches, epochs.")
    seed: int = option(0, "Seed", "Everything random follows from this number.", ge=0, le=2**31 - 1)
    start: Start | None = Field(
        None,
        title="Start from",
        description="Saved weights and how they are adapted; empty: new weights from the seed.",
        json_schema_extra={"later": True},
    )

    def dumps(self) -> str:
        """Canonical JSON: the same experiment always gives the same text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def fingerprint(self) -> str:
        """16 hex digits that identify what is computed; the name is not part of it."""
        content = {name: value for name, value in essence(self).items() if name != "name"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
