"""What is known of each data set without loading it: its form, its names, and how many examples each split gets."""

from typing import NamedTuple

from playground.errors import SpecError
from playground.spec import DataFacts
from playground.spec.data import (
    BreastCancer,
    Circles,
    Data,
    Diabetes,
    Digits,
    FashionMnist,
    Gaussians,
    Iris,
    Mnist,
    Mnist28,
    Moons,
    Points,
    Spirals,
    Split,
    Wine,
    Xor,
)

MNIST_TRAIN, MNIST_TEST = 60_000, 10_000
"""Training and test pictures of MNIST and of Fashion-MNIST."""

_NUMERALS = tuple("0123456789")
_PLANE = ("x", "y")
_OF_NUCLEI = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip


class Known(NamedTuple):
    """What never changes about a data set. ``examples`` counts all of them; 0: the spec says how many."""

    input_shape: tuple[int, ...]
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    target_name: str = "class"
    examples: int = 0


KNOWN: dict[type[Data], Known] = {
    Moons: Known((2,), ("upper moon", "lower moon"), _PLANE),
    Circles: Known((2,), ("ring", "inner circle"), _PLANE),
    Xor: Known((2,), ("x·y < 0", "x·y > 0"), _PLANE),
    Spirals: Known((2,), ("first arm", "second arm"), _PLANE),
    Gaussians: Known((2,), ("lower left", "upper right"), _PLANE),
    Digits: Known((8, 8, 1), _NUMERALS, target_name="digit", examples=1797),
    Mnist: Known((28, 28, 1), _NUMERALS, target_name="digit"),
    FashionMnist: Known(
        (28, 28, 1),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        target_name="garment",
    ),
    Iris: Known(
        (4,),
        ("setosa", "versicolor", "virginica"),
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        "species",
        150,
    ),
    Wine: Known(
        (13,),
        ("grower 1", "grower 2", "grower 3"),
        ("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
         "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines",
         "proline"),
        "grower",
        178,
    ),
    BreastCancer: Known(
        (30,),
        ("malignant", "benign"),
        tuple(name.format(nucleus) for name in ("mean {}", "{} error", "worst {}") for nucleus in _OF_NUCLEI),
        "diagnosis",
        569,
    ),
    Diabetes: Known(
        (10,),
        (),
        ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
        "disease progression",
        442,
    ),
}  # fmt: skip


class Sizes(NamedTuple):
    """Examples in each split. Validated on the test set, ``validation`` equals ``test``: they are the same ones."""

    train: int
    validation: int
    test: int


def describe(spec: Data) -> DataFacts:
    """What forms, output layers and checks need to know of a data set; no files, no scikit-learn.

    Raises:
        SpecError: a split would be too small to hold every class.
    """
    known, counts = KNOWN[type(spec)], sizes(spec)
    return DataFacts(
        task=spec.task,
        family=spec.family,
        input_shape=known.input_shape,
        class_names=known.class_names,
        feature_names=known.feature_names,
        target_name=known.target_name,
        train=counts.train,
        validation=counts.validation,
        test=counts.test,
    )


def sizes(spec: Data) -> Sizes:
    """How many examples each split gets: shares are rounded to the nearest whole example, and to one at least.

    Raises:
        SpecError: a split is to hold the same share of each class, and has fewer examples than there are classes.
    """
    if isinstance(spec, Split):
        examples = spec.samples if isinstance(spec, Points) else KNOWN[type(spec)].examples
        test = _share(spec.test_fraction, examples)
        rest = examples - test
    else:
        test, rest = MNIST_TEST, (spec.limit if isinstance(spec, Mnist28) and spec.limit else MNIST_TRAIN)
    if spec.validate_on == "test":
        counts = Sizes(rest, test, test)
    else:
        validation = _share(spec.validation_fraction, rest)
        counts = Sizes(rest - validation, validation, test)
    if is_stratified(spec):
        _leave_room_for_classes(spec, counts)
    return counts


def is_stratified(spec: Data) -> bool:
    """Whether each split keeps the share of each class."""
    return spec.stratify and spec.task != "regression"


def _share(fraction: float, examples: int) -> int:
    return max(1, round(fraction * examples)) if fraction else 0


def _leave_room_for_classes(spec: Data, counts: Sizes) -> None:
    classes = len(KNOWN[type(spec)].class_names)
    for part, count in (("test", counts.test), ("validation", counts.validation)):
        if 0 < count < classes:
            raise SpecError(
                f"The {part} share of {count} is too small to hold each of the {classes} classes. Raise it, or turn "
                "Stratify off.",
                f"data.{part}_fraction",
            )
