"""What people order of a run that is under way: one class an order. Pausing and stopping are states, not orders."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from playground.spec.base import Spec, option


class Order(Spec):
    """Something to be done once, at the next moment at which it can be done; ``when`` says in words which that is."""

    when: ClassVar[str] = "at the next step"


class SetRate(Order):
    """Go on at another learning rate; what is left of a schedule is scaled by as much."""

    label: ClassVar[str] = "Learning rate"
    kind: Literal["rate"] = "rate"
    learning_rate: float = option(0.001, "Learning rate", "From the next step on.", gt=0, le=100, scale="log")


class SetBatchSize(Order):
    """Go on in batches of another size."""

    label: ClassVar[str] = "Batch size"
    when: ClassVar[str] = "at the next epoch"
    kind: Literal["batch_size"] = "batch_size"
    batch_size: Annotated[int, Field(ge=1, le=65_536)] | Literal["full"] = Field(
        32, title="Batch size", description="Examples per step, from the next epoch on; full: all of them."
    )


class SetEpochs(Order):
    """Train for more epochs, or fewer."""

    label: ClassVar[str] = "Epochs"
    kind: Literal["epochs"] = "epochs"
    epochs: int = option(10, "Epochs", "How many there are to be in all.", ge=1, le=100_000)


class Freeze(Order):
    """Keep these layers as they are from now on, and let all others learn."""

    label: ClassVar[str] = "Frozen layers"
    kind: Literal["freeze"] = "freeze"
    layers: tuple[str, ...] = option((), "Frozen layers", "Their ids; empty: all layers learn.", max_length=201)


class Step(Order):
    """While paused: take some steps, and pause again."""

    label: ClassVar[str] = "Step"
    kind: Literal["step"] = "step"
    unit: Literal["batch", "epoch"] = option("epoch", "Unit", "One batch is one step of the optimizer.")
    count: int = option(1, "How many", "Batches or epochs; epochs end at the end of an epoch.", ge=1, le=10_000)


class Rewind(Order):
    """Go back to the weights after a kept epoch, and forget what came after; 0 is before the first step."""

    label: ClassVar[str] = "Rewind"
    kind: Literal["rewind"] = "rewind"
    epoch: int = option(0, "Epoch", "A kept epoch.", ge=0)


class SetWeight(Order):
    """Put a number in the place of a weight of the live network."""

    label: ClassVar[str] = "Weight"
    kind: Literal["weight"] = "weight"
    layer: str = option("output", "Layer", "The layer's id.", max_length=64)
    variable: Literal["kernel", "bias"] = option("kernel", "Variable", "Weights, or biases.")
    index: tuple[Annotated[int, Field(ge=0)], ...] = option((0,), "Place", "In the variable.", max_length=8)
    value: float = option(0.0, "Value", "Any number.", ge=-1e6, le=1e6)


class SetSpeed(Order):
    """Train no faster than this, to watch it; or as fast as the machine can."""

    label: ClassVar[str] = "Speed"
    kind: Literal["speed"] = "speed"
    epochs_per_second: float | None = option(None, "Epochs a second", "Empty: as fast as possible.", gt=0, le=10_000)


ORDERS: tuple[type[Order], ...] = (SetRate, SetBatchSize, SetEpochs, Freeze, Step, Rewind, SetWeight, SetSpeed)

OrderSpec = Annotated[
    SetRate | SetBatchSize | SetEpochs | Freeze | Step | Rewind | SetWeight | SetSpeed, Field(discriminator="kind")
]
