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


class Example(Probe):
    """One example of the run's own data, in its own units."""

    label: ClassVar[str] = "Example"
    help: ClassVar[str] = "One example of a split as its source gives it, with its target."
    kind: Literal["example"] = "example"  # type: ignore[mutable-override]
    part: Part = option("test", "Split", "Which examples to choose from.")
    index: int = option(0, "Example", "Its place in the split, counted from 0.", ge=0)


class Ranges(Probe):
    """What values each feature takes."""

    label: ClassVar[str] = "Ranges"
    help: ClassVar[str] = "Least and largest value of every feature among the training examples."
    kind: Literal["ranges"] = "ranges"  # type: ignore[mutable-override]


ProbeSpec = Annotated[Predictions | Example | Ranges, Field(discriminator="kind")]
PROBES: tuple[type[Probe], ...] = (Predictions, Example, Ranges)
"""Every probe there is."""
