"""Where a training starts from: saved weights, and how they are adapted. A plan is one class here.

A plan says in which stages layers learn; everything else follows from that (:mod:`playground.spec.tuning` checks it,
the engine freezes what does not learn). A new plan is one class here and its name in :data:`TuningSpec` and
:data:`TUNING`.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from playground.spec.base import Spec, option
from playground.spec.saved import Saved

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class Stage(NamedTuple):
    """A part of a training in which the same layers learn at the same rate."""

    name: str
    """In words."""
    layers: tuple[str, ...]
    """Ids of the layers that learn, from first to last."""
    epochs: int | None = None
    """How long; None: all that are left."""
    rate_factor: float = 1.0
    """Learning rate as a share of the optimizer's."""


class TuningPlan(Spec):
    """How saved weights are adapted to the experiment's data."""

    takes_weights: ClassVar[bool] = True
    """Whether training begins with the saved weights."""
    takes_optimizer: ClassVar[bool] = False
    """Whether optimizer and epoch count go on as well."""

    kind: str

    def stages(self, layers: Sequence[str]) -> tuple[Stage, ...]:
        """What learns when.

        Args:
            layers: ids of the layers that have weights, from first to last; the last one is the output layer.
        """
        return (Stage("All layers", tuple(layers)),)


class HeadOnly(TuningPlan):
    """Only the last layers learn."""

    label: ClassVar[str] = "Head only"
    help: ClassVar[str] = "Train the last layers and keep the rest as it is: fast, and little data is enough."
    kind: Literal["head_only"] = "head_only"  # type: ignore[mutable-override]
    last: int = option(1, "Layers that learn", "How many of the last layers with weights learn.", ge=1, le=200)
    layers: tuple[Name, ...] = Field(
        (), title="Chosen layers", description="Ids of the layers that learn; empty: the last ones.", max_length=200
    )

    def stages(self, layers: Sequence[str]) -> tuple[Stage, ...]:
        chosen = [name for name in layers if name in self.layers] if self.layers else layers[-self.last :]
        is_head = tuple(chosen) == tuple(layers[-1:])
        return (Stage("Head only" if is_head else "Chosen layers" if self.layers else "Last layers", tuple(chosen)),)


class HeadThenAll(TuningPlan):
    """First the head, then everything at a lower rate: one run of two stages."""

    label: ClassVar[str] = "Head, then all"
    help: ClassVar[str] = "Train the new head first, then everything at a rate 10 to 100 times lower."
    kind: Literal["head_then_all"] = "head_then_all"  # type: ignore[mutable-override]
    head_epochs: int = option(2, "Epochs for the head", "How many of the epochs train the head alone.", ge=1, le=10_000)
    rate_factor: float = option(
        0.1, "Rate afterwards", "The learning rate of the second stage as a share of the first's.",
        ge=0.0001, le=1, scale="log",
    )  # fmt: skip

    def stages(self, layers: Sequence[str]) -> tuple[Stage, ...]:
        head = Stage("Head only", tuple(layers[-1:]), self.head_epochs)
        return head, Stage("All layers", tuple(layers), rate_factor=self.rate_factor)


class Continue(TuningPlan):
    """Everything goes on where it stopped, optimizer state and epoch count included."""

    label: ClassVar[str] = "Continue"
    help: ClassVar[str] = "Go on with all layers from the saved weights, with the optimizer as it was."
    takes_optimizer: ClassVar[bool] = True
    kind: Literal["continue"] = "continue"  # type: ignore[mutable-override]


class FromScratch(TuningPlan):
    """The control: the same network with new weights."""

    label: ClassVar[str] = "From scratch"
    help: ClassVar[str] = "The same network with fresh weights and the same budget, to compare with."
    takes_weights: ClassVar[bool] = False
    kind: Literal["from_scratch"] = "from_scratch"  # type: ignore[mutable-override]


class EvaluateOnly(TuningPlan):
    """Nothing learns: how good the saved model is on this data as it is."""

    label: ClassVar[str] = "Evaluate only"
    help: ClassVar[str] = "Train nothing: how good the saved model is on this data as it is."
    kind: Literal["evaluate_only"] = "evaluate_only"  # type: ignore[mutable-override]

    def stages(self, layers: Sequence[str]) -> tuple[Stage, ...]:
        return (Stage("Evaluation", (), 0),)


TuningSpec = Annotated[HeadOnly | HeadThenAll | Continue | FromScratch | EvaluateOnly, Field(discriminator="kind")]
TUNING: tuple[type[TuningPlan], ...] = (HeadOnly, HeadThenAll, Continue, FromScratch, EvaluateOnly)


class Start(Spec):
    """Saved weights to start from."""

    label: ClassVar[str] = "Start from"
    base: Saved = Field(..., title="Base model", description="Whose weights training starts from.")
    plan: TuningSpec = Field(HeadThenAll(), title="Plan", description="Which layers learn, when, and how fast.")
    head: Literal["auto", "keep", "replace"] = option(
        "auto", "Output layer",
        "keep: with its weights; replace: new ones; auto: kept where the classes are the same, else replaced.",
    )  # fmt: skip
