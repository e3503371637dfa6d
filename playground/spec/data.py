"""Which data, how it is scaled and how it is split. One class a data set; ``data/`` maps each to its loader."""

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator, model_validator

from playground.spec.base import Spec, option

Task = Literal["binary", "multiclass", "regression"]
Scaling = Literal["none", "minmax", "standard"]
Feature = Literal["x", "y", "x2", "y2", "xy", "sin_x", "sin_y"]
"""What a network may receive of a point in the plane; :data:`playground.data.features.FEATURES` computes each."""
Class = Annotated[int, Field(ge=0, le=999)] | Annotated[str, Field(max_length=80)]
"""A class by its number in the data set, from 0, or by its name."""


class Data(Spec):
    """What every data set has: scaling and split. Statistics of scaling are fitted on the training split alone."""

    task: ClassVar[Task]
    family: ClassVar[Literal["points", "table", "images"]]

    scaling: Scaling = option(
        "none",
        "Scaling",
        "none: as it is; minmax: each feature to 0–1 (pictures: divided by 255); standard: (x − mean) / standard "
        "deviation. Fitted on the training split only.",
    )
    validation_fraction: float = option(
        0.2, "Validation share", "Share of the training examples held out to judge each epoch.", ge=0.0, le=0.8
    )
    validate_on: Literal["validation", "test"] = option(
        "validation",
        "Validate on",
        "Which examples judge each epoch: a share held out of training, or the test set itself (then its score is no "
        "longer an independent one).",
        advanced=True,
    )
    stratify: bool = option(
        True, "Stratify", "Keep the share of each class the same in every split (classification only).", advanced=True
    )

    @property
    def uses_seed(self) -> bool:
        """Whether the experiment's seed decides which examples there are, or who falls into which split."""
        return True


class Split(Data):
    """A data set that comes in one piece: its test examples are split off here."""

    test_fraction: float = option(
        0.2, "Test share", "Share of all examples kept aside for the final test.", gt=0.0, le=0.8
    )

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> "Split":
        # The validation examples are a share of what the test examples leave.
        if self.validate_on == "validation" and (1 - self.test_fraction) * (1 - self.validation_fraction) < 0.1 - 1e-9:
            raise ValueError(
                f"test share {self.test_fraction} and validation share {self.validation_fraction} leave less than a "
                "tenth for training; lower one of them"
            )
        return self


class Collected(Data):
    """Examples that were collected, not generated: there are only so many, and one can do with fewer."""

    examples: int | None = option(
        None,
        "Labelled examples",
        "How many examples training and validation get together, drawn from the seed with every class's share kept; "
        "the test examples stay the same. Empty: all there are.",
        ge=2,
        le=1_000_000,
        advanced=True,
    )


class Classified(Collected):
    """Collected examples of several classes, of which one can take some."""

    classes: tuple[Class, ...] | None = option(
        None,
        "Classes",
        "Which classes to take, by name or number; they are numbered anew in this order. Empty: all of them.",
        min_length=2,
        max_length=1000,
        advanced=True,
    )

    @field_validator("classes", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """``"5, 6, 7"``, as a form or a terminal gives it."""
        if not isinstance(value, str):
            return value
        names = [name.strip() for name in value.split(",") if name.strip()]
        return [int(name) if name.isdecimal() else name for name in names] or None


class Points(Split):
    """Points in the plane, made by a generator from the experiment's seed."""

    task: ClassVar[Task] = "binary"
    family: ClassVar[Literal["points", "table", "images"]] = "points"

    samples: int = option(500, "Samples", "How many points to generate, all splits together.", ge=20, le=20_000)
    features: tuple[Feature, ...] = option(
        ("x", "y"),
        "Features",
        "What the network receives of each point: x, y, x2 (x²), y2 (y²), xy (their product), sin_x (sin 5x), sin_y "
        "(sin 5y). Computed from the coordinates, before scaling.",
        min_length=1,
        max_length=7,
        advanced=True,
        later=True,
    )

    @field_validator("features", mode="before")
    @classmethod
    def _features_from_text(cls, value: Any) -> Any:
        """``"x, y, xy"``, as a form or a terminal gives it."""
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("features")
    @classmethod
    def _features_in_order(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        """Each once, in the one order: the same choice is the same experiment, however it was made."""
        return tuple(name for name in get_args(Feature) if name in features)


class Moons(Points):
    """scikit-learn's ``make_moons``."""

    label: ClassVar[str] = "Two moons"
    help: ClassVar[str] = "Two interleaving half circles: the smallest problem a straight line cannot solve."
    kind: Literal["moons"] = "moons"
    noise: float = option(0.1, "Noise", "Standard deviation of the Gaussian noise added to each point.", ge=0, le=1)


class Circles(Points):
    """scikit-learn's ``make_circles``."""

    label: ClassVar[str] = "Circles"
    help: ClassVar[str] = "A circle inside a ring."
    kind: Literal["circles"] = "circles"
    noise: float = option(0.05, "Noise", "Standard deviation of the Gaussian noise added to each point.", ge=0, le=1)
    factor: float = option(0.5, "Radius ratio", "Inner radius divided by outer radius.", ge=0.05, le=0.95)


class Xor(Points):
    """Four quadrants of a square; the class is the sign of x·y."""

    label: ClassVar[str] = "XOR"
    help: ClassVar[str] = "Opposite quadrants share a class: the problem that one perceptron cannot solve."
    kind: Literal["xor"] = "xor"
    noise: float = option(0.05, "Noise", "Standard deviation of the Gaussian noise added to each point.", ge=0, le=1)


class Spirals(Points):
    """Two intertwined spirals, as in TensorFlow Playground."""

    label: ClassVar[str] = "Spirals"
    help: ClassVar[str] = "Two arms wound around each other: small, and hard."
    kind: Literal["spirals"] = "spirals"
    noise: float = option(0.05, "Noise", "Standard deviation of the Gaussian noise added to each point.", ge=0, le=1)
    turns: float = option(1.75, "Turns", "How many times each arm winds around the centre.", ge=0.25, le=4)


class Gaussians(Points):
    """Two round Gaussian clouds."""

    label: ClassVar[str] = "Two Gaussians"
    help: ClassVar[str] = "Two round clouds: a straight line is enough."
    kind: Literal["gaussians"] = "gaussians"
    noise: float = option(0.5, "Spread", "Standard deviation of each cloud; their centres are 2·√2 apart.", gt=0, le=3)


class Iris(Classified, Split):
    """R. A. Fisher's iris measurements, from scikit-learn."""

    label: ClassVar[str] = "Iris"
    help: ClassVar[str] = "150 flowers, four measurements in centimetres, three species."
    task: ClassVar[Task] = "multiclass"
    family: ClassVar[Literal["points", "table", "images"]] = "table"
    kind: Literal["iris"] = "iris"
    scaling: Scaling = option("standard", "Scaling", Data.model_fields["scaling"].description or "")


class Wine(Classified, Split):
    """Chemical analyses of Italian wines, from scikit-learn."""

    label: ClassVar[str] = "Wine"
    help: ClassVar[str] = "178 wines, thirteen chemical measurements, three growers."
    task: ClassVar[Task] = "multiclass"
    family: ClassVar[Literal["points", "table", "images"]] = "table"
    kind: Literal["wine"] = "wine"
    scaling: Scaling = option("standard", "Scaling", Data.model_fields["scaling"].description or "")


class BreastCancer(Classified, Split):
    """Wisconsin diagnostic breast cancer data, from scikit-learn."""

    label: ClassVar[str] = "Breast cancer"
    help: ClassVar[str] = "569 tumours, thirty measurements of cell nuclei, malignant or benign."
    task: ClassVar[Task] = "binary"
    family: ClassVar[Literal["points", "table", "images"]] = "table"
    kind: Literal["breast_cancer"] = "breast_cancer"
    scaling: Scaling = option("standard", "Scaling", Data.model_fields["scaling"].description or "")


class Diabetes(Collected, Split):
    """Disease progression one year after baseline (Efron et al., 2004), from scikit-learn."""

    label: ClassVar[str] = "Diabetes"
    help: ClassVar[str] = "442 patients, ten measurements, disease progression after one year: a regression."
    task: ClassVar[Task] = "regression"
    family: ClassVar[Literal["points", "table", "images"]] = "table"
    kind: Literal["diabetes"] = "diabetes"
    scaling: Scaling = option("standard", "Scaling", Data.model_fields["scaling"].description or "")


class Digits(Classified, Split):
    """Handwritten digits of 8×8 pixels, from scikit-learn."""

    label: ClassVar[str] = "Digits 8×8"
    help: ClassVar[str] = "1,797 handwritten digits of 8×8 pixels: real pictures that need no download."
    task: ClassVar[Task] = "multiclass"
    family: ClassVar[Literal["points", "table", "images"]] = "images"
    kind: Literal["digits"] = "digits"
    scaling: Scaling = option("minmax", "Scaling", Data.model_fields["scaling"].description or "")


class Mnist28(Classified):
    """28×28 grey pictures with a test set of their own (60,000 for training, 10,000 for the test)."""

    task: ClassVar[Task] = "multiclass"
    family: ClassVar[Literal["points", "table", "images"]] = "images"
    scaling: Scaling = option("minmax", "Scaling", Data.model_fields["scaling"].description or "")
    validation_fraction: float = option(
        0.1, "Validation share", "Share of the training examples held out to judge each epoch.", ge=0.0, le=0.8
    )

    @model_validator(mode="before")
    @classmethod
    def _read_limit(cls, content: Any) -> Any:
        """``limit``, as ``examples`` was called before other data sets had it."""
        if isinstance(content, dict) and "limit" in content and "examples" not in content:
            return {"examples" if name == "limit" else name: value for name, value in content.items()}
        return content

    @property
    def uses_seed(self) -> bool:
        """Only a validation share, or a part of the examples, is drawn at random."""
        return self.examples is not None or (self.validate_on == "validation" and self.validation_fraction > 0)


class Mnist(Mnist28):
    """MNIST (LeCun, Cortes, Burges)."""

    label: ClassVar[str] = "MNIST"
    help: ClassVar[str] = "70,000 handwritten digits of 28×28 pixels."
    kind: Literal["mnist"] = "mnist"


class FashionMnist(Mnist28):
    """Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017)."""

    label: ClassVar[str] = "Fashion-MNIST"
    help: ClassVar[str] = "70,000 pictures of clothes, 28×28 pixels, ten kinds: MNIST's harder sister."
    kind: Literal["fashion_mnist"] = "fashion_mnist"


DATASETS: tuple[type[Data], ...] = (
    Moons, Circles, Xor, Spirals, Gaussians, Digits, Mnist, FashionMnist, Iris, Wine, BreastCancer, Diabetes,
)  # fmt: skip
"""Every data set there is, in the order in which forms list them."""

DataSpec = Annotated[
    Moons | Circles | Xor | Spirals | Gaussians | Digits | Mnist | FashionMnist | Iris | Wine | BreastCancer | Diabetes,
    Field(discriminator="kind"),
]


class DataFacts(Spec):
    """What is known of a data set once it is loaded: what forms, heads and checks need, and no arrays."""

    task: Task
    family: Literal["points", "table", "images"]
    input_shape: tuple[int, ...]
    """Shape of one example, float32: ``(2,)`` for points, ``(features,)`` for tables, ``(height, width, channels)``."""
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    target_name: str = "class"
    train: int
    validation: int
    test: int
