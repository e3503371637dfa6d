"""What may be asked of a network. A probe is one class here, one function in ``engine/probes``, one display.

The table :data:`playground.engine.probes.PROBES` maps each class to its function.
"""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from playground.spec.base import Spec, option

Part = Literal["train", "validation", "test"]


class Probe(Spec):
    """A question to a network with its saved weights."""

    kind: str


class _OfSplit(Probe):
    part: Part = option("test", "Split", "Which examples to choose from.")


class _OfExample(_OfSplit):
    index: int = option(0, "Example", "Its place in the split, counted from 0.", ge=0)


class Predictions(Probe):
    """The network's outputs for given inputs."""

    label: ClassVar[str] = "Predictions"
    help: ClassVar[str] = "What the network says of each input."
    kind: Literal["predictions"] = "predictions"  # type: ignore[mutable-override]
    neighbours: int = option(0, "Neighbours", "How many of the nearest training examples to name.", ge=0, le=20)


class Example(_OfExample):
    """One example of the run's own data, in its own units."""

    label: ClassVar[str] = "Example"
    help: ClassVar[str] = "One example of a split as its source gives it, with its target."
    kind: Literal["example"] = "example"  # type: ignore[mutable-override]


class Ranges(Probe):
    """What values each feature takes."""

    label: ClassVar[str] = "Ranges"
    help: ClassVar[str] = "Least and largest value of every feature among the training examples."
    kind: Literal["ranges"] = "ranges"  # type: ignore[mutable-override]


class Activations(_OfExample):
    """What every layer makes of one input."""

    label: ClassVar[str] = "Activations"
    help: ClassVar[str] = "Every layer's output, weights and gradients for one input."
    kind: Literal["activations"] = "activations"  # type: ignore[mutable-override]
    target: float | None = option(
        None, "Target", "Class number or true value of an input from outside; empty: the predicted class counts."
    )


class Units(_OfSplit):
    """How the units of every layer behave over many examples."""

    label: ClassVar[str] = "Units"
    help: ClassVar[str] = "Distribution of every layer's output, with its dead and saturated units."
    kind: Literal["units"] = "units"  # type: ignore[mutable-override]
    examples: int = option(256, "Examples", "How many, spread evenly over the split.", ge=1, le=2000)


class Strongest(_OfSplit):
    """Which examples drive a unit highest."""

    label: ClassVar[str] = "Strongest examples"
    help: ClassVar[str] = "The examples for which a unit of a layer is largest."
    kind: Literal["strongest"] = "strongest"  # type: ignore[mutable-override]
    examples: int = option(512, "Examples", "Among how many, spread evenly over the split.", ge=1, le=2000)
    layer: str = option("output", "Layer", "The layer's id.", max_length=64)
    unit: int = option(0, "Unit", "Its place in the layer, counted from 0; for pictures the channel.", ge=0)
    top: int = option(8, "How many", "How many examples to show.", ge=1, le=32)


class _ForClasses(_OfExample):
    classes: tuple[Annotated[int, Field(ge=0)], ...] = option(
        (), "Classes", "Whose scores are explained; empty: the predicted one.", max_length=4
    )


class Saliency(_ForClasses):
    """How much each value of the input counts for a class score."""

    label: ClassVar[str] = "Saliency"
    help: ClassVar[str] = "How much each value of the input counts for the score of a class."
    kind: Literal["saliency"] = "saliency"  # type: ignore[mutable-override]
    method: Literal["gradient", "integrated_gradients"] = option(
        "gradient", "Method",
        "gradient: how the score changes with each value; integrated_gradients: what each value has added to the "
        "score since the baseline, (x − x₀) · mean gradient on the line between them.",
    )  # fmt: skip
    steps: int = option(
        64, "Steps", "Points on the line from the baseline at which integrated gradients look.", ge=1, le=512
    )


class GradCam(_ForClasses):
    """Where a layer of pictures sees what speaks for a class."""

    label: ClassVar[str] = "Grad-CAM"
    help: ClassVar[str] = "Where a layer sees what speaks for a class: relu(Σ mean(∂score/∂map) · map)."
    kind: Literal["grad_cam"] = "grad_cam"  # type: ignore[mutable-override]
    layer: str = option(
        "", "Layer", "Id of a layer that gives pictures; empty: the last one that sees anything.", max_length=64
    )


class Gradients(Probe):
    """How large the gradient of the loss is at every layer."""

    label: ClassVar[str] = "Gradients"
    help: ClassVar[str] = "The gradient of the loss on its way back: by the weights, the outputs and the input."
    kind: Literal["gradients"] = "gradients"  # type: ignore[mutable-override]
    part: Part = option("train", "Split", "Which examples the loss is computed on.")
    first: int = option(0, "First example", "Its place in the split, counted from 0.", ge=0)
    examples: int = option(64, "Examples", "How many, from the first one on; 1 for a single one.", ge=1, le=1024)


class GradientCheck(Probe):
    """Whether automatic differentiation is right."""

    label: ClassVar[str] = "Gradient check"
    help: ClassVar[str] = "Compares gradients with finite differences, (L(w + h) − L(w − h)) / 2h, in float64."
    kind: Literal["gradient_check"] = "gradient_check"  # type: ignore[mutable-override]
    variable: str = option("output/kernel", "Variable", "Layer and variable, such as dense_1/kernel.", max_length=80)
    entries: int = option(20, "Entries", "How many of its entries are checked.", ge=1, le=200)
    part: Part = option("train", "Split", "Which examples the loss is computed on.")
    examples: int = option(16, "Examples", "How many of them.", ge=1, le=256)


class SingularValues(Probe):
    """How much a layer stretches its input in each direction."""

    label: ClassVar[str] = "Singular values"
    help: ClassVar[str] = "Far above 1, a kernel makes what passes through it explode; far below, vanish."
    kind: Literal["singular_values"] = "singular_values"  # type: ignore[mutable-override]
    variable: str = option("output/kernel", "Variable", "Layer and variable, such as dense_1/kernel.", max_length=80)


ProbeSpec = Annotated[
    Predictions
    | Example
    | Ranges
    | Activations
    | Units
    | Strongest
    | Saliency
    | GradCam
    | Gradients
    | GradientCheck
    | SingularValues,
    Field(discriminator="kind"),
]
PROBES: tuple[type[Probe], ...] = get_args(get_args(ProbeSpec)[0])
"""Every probe there is."""
