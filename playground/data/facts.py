"""What is known of each data set without loading it: its form, its names, and how many examples each split gets."""

from typing import NamedTuple

from playground.data.features import FEATURES
from playground.errors import SpecError
from playground.spec import DataFacts
from playground.spec.data import (
    BreastCancer,
    Circles,
    Classified,
    Collected,
    Data,
    Diabetes,
    Digits,
    FashionMnist,
    Gaussians,
    Iris,
    Mnist,
    Moons,
    Points,
    Spirals,
    Split,
    Wine,
    Xor,
)

MNIST_TRAIN, MNIST_TEST = 60_000, 10_000
"""Training and test pictures of MNIST and of Fashion-MNIST, all classes together."""

_NUMERALS = tuple("0123456789")
_OF_NUCLEI = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip


class Known(NamedTuple):
    """What never changes about a data set. What a network receives of points is chosen in their spec."""

    input_shape: tuple[int, ...]
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    target_name: str = "class"
    counts: tuple[int, ...] = ()
    """Examples of each class, or of a regression in all, without those of a test set of its own; empty: the spec says
    how many."""
    test_counts: tuple[int, ...] = ()
    """Examples of each class in the test set that the data set brings along."""

    @property
    def examples(self) -> int:
        """How many there are, without those of a test set of its own."""
        return sum(self.counts)


KNOWN: dict[type[Data], Known] = {
    Moons: Known((2,), ("upper moon", "lower moon")),
    Circles: Known((2,), ("ring", "inner circle")),
    Xor: Known((2,), ("x·y < 0", "x·y > 0")),
    Spirals: Known((2,), ("first arm", "second arm")),
    Gaussians: Known((2,), ("lower left", "upper right")),
    Digits: Known((8, 8, 1), _NUMERALS, (), "digit", (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)),
    Mnist: Known(
        (28, 28, 1),
        _NUMERALS,
        (),
        "digit",
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ),
    FashionMnist: Known(
        (28, 28, 1),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        (),
        "garment",
        (6000,) * 10,
        (1000,) * 10,
    ),
    Iris: Known(
        (4,),
        ("setosa", "versicolor", "virginica"),
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        "species",
        (50, 50, 50),
    ),
    Wine: Known(
        (13,),
        ("grower 1", "grower 2", "grower 3"),
        ("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
         "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines",
         "proline"),
        "grower",
        (59, 71, 48),
    ),
    BreastCancer: Known(
        (30,),
        ("malignant", "benign"),
        tuple(name.format(nucleus) for name in ("mean {}", "{} error", "worst {}") for nucleus in _OF_NUCLEI),
        "diagnosis",
        (212, 357),
    ),
    Diabetes: Known(
        (10,),
        (),
        ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
        "disease progression",
        (442,),
    ),
}  # fmt: skip


class Sizes(NamedTuple):
    """Examples in each split. Validated on the test set, ``validation`` equals ``test``: they are the same ones."""

    train: int
    validation: int
    test: int


def describe(spec: Data) -> DataFacts:
    """What forms, output layers and checks need to know of a data set; no files, no scikit-learn.

    The task stays that of the data set when classes are chosen: two of ten are a multiclass task of two classes.

    Raises:
        SpecError: a split would be too small to hold every class, there are fewer examples than asked for, or a chosen
            class is none of the data set's.
    """
    known, counts = KNOWN[type(spec)], sizes(spec)
    features = spec.features if isinstance(spec, Points) else ()
    return DataFacts(
        task=spec.task,
        family=spec.family,
        input_shape=(len(features),) if features else known.input_shape,
        class_names=tuple(known.class_names[index] for index in chosen_classes(spec)),
        feature_names=tuple(FEATURES[name][0] for name in features) or known.feature_names,
        target_name=known.target_name,
        train=counts.train,
        validation=counts.validation,
        test=counts.test,
    )


def chosen_classes(spec: Data) -> tuple[int, ...]:
    """Numbers of the classes that ``spec`` takes, in its order; empty for a regression.

    Raises:
        SpecError: one is unknown, or named twice.
    """
    names = KNOWN[type(spec)].class_names
    if not isinstance(spec, Classified) or spec.classes is None:
        return tuple(range(len(names)))
    chosen = []
    for one in spec.classes:
        if one not in names and one not in range(len(names)):
            raise SpecError(
                f"{spec.label} has no class {one!r}. Choose from: {', '.join(names)}, or from 0 to {len(names) - 1}.",
                "data.classes",
            )
        chosen.append(one if isinstance(one, int) else names.index(one))
    if len(set(chosen)) != len(chosen):
        twice = next(names[index] for index in chosen if chosen.count(index) > 1)
        raise SpecError(f"The class {twice} is chosen twice. Choose each once.", "data.classes")
    return tuple(chosen)


def sizes(spec: Data) -> Sizes:
    """How many examples each split gets: shares are rounded to the nearest whole example, and to one at least.

    Raises:
        SpecError: a split is to hold the same share of each class, and has fewer examples than there are classes; or
            there are fewer examples than asked for, or a chosen class is unknown.
    """
    known, chosen = KNOWN[type(spec)], chosen_classes(spec)
    rest = spec.samples if isinstance(spec, Points) else sum(known.counts[index] for index in chosen or (0,))
    if isinstance(spec, Split):
        test = _share(spec.test_fraction, rest)
        rest -= test
    else:
        test = sum(known.test_counts[index] for index in chosen)
    if isinstance(spec, Collected) and spec.examples is not None:
        if spec.examples > rest:
            raise SpecError(
                f"{spec.examples:,} labelled examples are more than the {rest:,} there are for training and "
                "validation. Ask for fewer, or leave it empty.",
                "data.examples",
            )
        rest = spec.examples
    if spec.validate_on == "test":
        counts = Sizes(rest, test, test)
    else:
        validation = _share(spec.validation_fraction, rest)
        counts = Sizes(rest - validation, validation, test)
    if is_stratified(spec):
        _leave_room_for_classes(counts, len(chosen))
    return counts


def is_stratified(spec: Data) -> bool:
    """Whether each split keeps the share of each class."""
    return spec.stratify and spec.task != "regression"


def _share(fraction: float, examples: int) -> int:
    return max(1, round(fraction * examples)) if fraction else 0


def _leave_room_for_classes(counts: Sizes, classes: int) -> None:
    for part, count in (("test", counts.test), ("validation", counts.validation)):
        if 0 < count < classes:
            raise SpecError(
                f"The {part} share of {count} is too small to hold each of the {classes} classes. Raise it, or turn "
                "Stratify off.",
                f"data.{part}_fraction",
            )
    if counts.train < classes:
        raise SpecError(
            f"{counts.train} training examples are too few to hold each of the {classes} classes. Ask for more "
            "labelled examples, or turn Stratify off.",
            "data.examples",
        )
