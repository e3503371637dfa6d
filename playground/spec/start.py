"""Where a training starts from: saved weights, and how they are adapted. A plan is one class here."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from playground.spec.base import Spec, option
from playground.spec.saved import Saved


class TuningPlan(Spec):
    """How saved weights are adapted to the experiment's data."""

    kind: str


class HeadOnly(TuningPlan):
    """Only the output layer (and what ``unfreeze`` adds before it) learns."""

    label: ClassVar[str] = "Head only"
    help: ClassVar[str] = "Train the last layers and keep the rest as it is: fast, and little data is enough."
    kind: Literal["head_only"] = "head_only"  # type: ignore[mutable-override]
    last: int = option(1, "Layers that learn", "How many of the last layers with weights learn.", ge=1, le=200)


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


class Continue(TuningPlan):
    """Everything goes on where it stopped, optimizer state and epoch count included."""

    label: ClassVar[str] = "Continue"
    help: ClassVar[str] = "Go on with all layers from the saved weights, with the optimizer as it was."
    kind: Literal["continue"] = "continue"  # type: ignore[mutable-override]


class FromScratch(TuningPlan):
    """The control: the same network with new weights."""

    label: ClassVar[str] = "From scratch"
    help: ClassVar[str] = "The same network with fresh weights and the same budget, to compare with."
    kind: Literal["from_scratch"] = "from_scratch"  # type: ignore[mutable-override]


class EvaluateOnly(TuningPlan):
    """Nothing learns: how good the saved model is on this data as it is."""

    label: ClassVar[str] = "Evaluate only"
    help: ClassVar[str] = "Train nothing: how good the saved model is on this data as it is."
    kind: Literal["evaluate_only"] = "evaluate_only"  # type: ignore[mutable-override]


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
