"""What may be asked of a network. A probe is one class here, one function in ``engine/probes``, one display.

The table :data:`playground.engine.probes.PROBES` maps each class to its function.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from playground.spec.base import Spec, option

Part = Literal["train", "validation", "test"]


class Probe(Spec):
    """A question to a network with its saved weights."""

    kind: str


class Predictions(Probe):
    """The network's outputs for given inputs."""

    label: ClassVar[str] = "Predictions"
    help: ClassVar[str] = "What the network says of each input."
    kind: Literal["predictions"] = "predictions"  # type: ignore[mutable-override]
    neighbours: int = option(0, "Neighbours", "How many of the nearest training examples to name.", ge=0, le=20)


ProbeSpec = Annotated[Predictions, Field(discriminator="kind")]
PROBES: tuple[type[Probe], ...] = (Predictions,)
"""Every probe there is."""
