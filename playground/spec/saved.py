"""Which saved weights are meant: what probes look into, what fine-tuning starts from, what a person tries out."""

from typing import ClassVar

from pydantic import Field, model_validator

from playground.spec.base import Spec

MAX_FILE = 256_000_000
"""Bytes of a model file that may be taken in: twenty million weights with both of Adam's moments."""


class Saved(Spec):
    """The weights of a run at one of its kept epochs, or of a model of the library. One of the two is named."""

    label: ClassVar[str] = "Saved model"
    run: str = Field("", title="Run", description="The run whose weights are meant.", max_length=64)
    epoch: int | None = Field(
        None,
        title="Epoch",
        description="After how many epochs; empty: the newest weights there are.",
        ge=0,
        le=1_000_000,
    )
    model: str = Field("", title="Model", description="A model of the library.", max_length=64)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Saved":
        if bool(self.run) == bool(self.model):
            raise ValueError("name either a run or a model of the library")
        if self.model and self.epoch is not None:
            raise ValueError("a model of the library has no epochs to choose from; leave epoch out")
        return self
