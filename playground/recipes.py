"""Ready experiments: each shows one thing, trains with one press, and is a reference case for tests and benchmarks."""

import difflib
from dataclasses import dataclass
from typing import Any

from playground.errors import SpecError
from playground.spec import Experiment, Model, Output, Training
from playground.spec.data import (
    BreastCancer,
    Circles,
    DataSpec,
    Diabetes,
    Digits,
    FashionMnist,
    Gaussians,
    Iris,
    Mnist,
    Moons,
    Spirals,
    Wine,
    Xor,
)
from playground.spec.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, LayerSpec, MaxPooling2D
from playground.spec.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from playground.spec.optimizers import SGD, Adam


@dataclass(frozen=True, slots=True)
class Recipe:
    """An experiment that works as it is."""

    name: str
    """In URLs and on the command line."""
    title: str
    summary: str
    """What it teaches, in one sentence."""
    takes: str
    """Roughly, on two CPU cores."""
    experiment: Experiment


def _recipe(
    name: str,
    title: str,
    summary: str,
    takes: str,
    data: DataSpec,
    layers: tuple[LayerSpec, ...],
    training: Training,
    output: Output | None = None,
    weight_scale: float = 1.0,
) -> Recipe:
    model = Model(layers=layers, output=output or Output(), weight_scale=weight_scale)
    return Recipe(name, title, summary, takes, Experiment(name=title, data=data, model=model, training=training))


_BINARY: Any = {"loss": BinaryCrossentropy(), "metrics": ("accuracy",)}
_CLASSES: Any = {"loss": SparseCategoricalCrossentropy(), "metrics": ("accuracy",)}

_POINTS = (
    _recipe(
        "spirals",
        "Two spirals",
        "Two hidden layers bend the plane until each arm lies on its own side.",
        "5 seconds",
        Spirals(samples=1000, noise=0.03),
        (Dense(units=16), Dense(units=16)),
        Training(**_BINARY, optimizer=Adam(learning_rate=0.02), epochs=200),
    ),
    _recipe(
        "two-moons",
        "Two moons",
        "Sixteen neurons in two layers draw a curved border between two half circles.",
        "3 seconds",
        Moons(),
        (Dense(units=8), Dense(units=8)),
        Training(**_BINARY, optimizer=Adam(learning_rate=0.02), epochs=60),
    ),
    _recipe(
        "circles",
        "A circle in a ring",
        "A handful of neurons, each a straight line, close around the inner circle.",
        "3 seconds",
        Circles(),
        (Dense(units=6, activation="tanh"),),
        Training(**_BINARY, optimizer=Adam(learning_rate=0.03), epochs=80),
    ),
    _recipe(
        "xor",
        "XOR",
        "What a single neuron cannot separate, four hidden ones can.",
        "3 seconds",
        Xor(),
        (Dense(units=4, activation="tanh"),),
        Training(**_BINARY, optimizer=Adam(learning_rate=0.03), epochs=100),
    ),
    _recipe(
        "gaussians",
        "Two clouds",
        "Two linear neurons draw the straight line between two clouds, by plain gradient descent.",
        "2 seconds",
        Gaussians(),
        (Dense(units=2, activation="linear"),),
        Training(**_BINARY, optimizer=SGD(learning_rate=0.1), epochs=30),
    ),
)

_EMBEDDED = (
    _recipe(
        "digits-cnn",
        "Small digits, convolutional",
        "Small filters that slide over real handwriting recognise 8×8 digits, with no download.",
        "10 seconds",
        Digits(),
        (
            Conv2D(filters=16, padding="same"),
            MaxPooling2D(),
            Conv2D(filters=32, padding="same"),
            Flatten(),
            Dropout(rate=0.3),
        ),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.003), epochs=30),
    ),
    _recipe(
        "digits-mlp",
        "Small digits, dense",
        "The same digits laid out as 64 numbers: a dense network does not know which pixels are neighbours.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.002), epochs=30),
    ),
    _recipe(
        "iris",
        "Iris",
        "Four measurements of a flower tell its species; two of the three overlap.",
        "3 seconds",
        Iris(),
        (Dense(units=16),),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.01), batch_size=16, epochs=60),
    ),
    _recipe(
        "wine",
        "Wine",
        "Thirteen chemical measurements of very different size: scaling makes them comparable.",
        "3 seconds",
        Wine(),
        (Dense(units=16), Dropout(rate=0.2)),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.01), batch_size=16, epochs=40),
    ),
    _recipe(
        "breast-cancer",
        "Breast cancer",
        "Two kinds of error do not weigh the same: look at recall and at the ROC curve.",
        "3 seconds",
        BreastCancer(),
        (Dense(units=16), Dropout(rate=0.3)),
        Training(
            loss=BinaryCrossentropy(),
            metrics=("accuracy", "precision", "recall", "auc"),
            optimizer=Adam(learning_rate=0.003),
            epochs=40,
        ),
    ),
    _recipe(
        "diabetes",
        "Diabetes progression",
        "A regression: the network predicts a number, and the residuals show how far off it is.",
        "5 seconds",
        Diabetes(),
        (Dense(units=16),),
        Training(
            loss=MeanSquaredError(),
            metrics=("mean_absolute_error", "r2_score"),
            optimizer=Adam(learning_rate=0.01),
            epochs=80,
        ),
    ),
)

_AILING = (
    _recipe(
        "ten-sigmoids",
        "Ten sigmoid layers",
        "Goes wrong on purpose: each sigmoid passes on a quarter of the gradient at most, and none reaches the first.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=32, activation="sigmoid")] * 10),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.002), epochs=20),
    ),
    _recipe(
        "ten-relus",
        "Ten relu layers",
        "Ten sigmoid layers, mended: relu passes the gradient on as it is wherever it is not 0, and the depth learns.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=32, kernel_initializer="he_normal")] * 10),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.002), epochs=20),
    ),
    _recipe(
        "weights-too-large",
        "Starting weights too large",
        "Goes wrong on purpose: weights ten times too large make the gradient larger at every layer on its way back.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=64)] * 5),
        Training(**_CLASSES, optimizer=SGD(learning_rate=0.05), epochs=20),
        weight_scale=10,
    ),
    _recipe(
        "weights-right-sized",
        "Starting weights of the right size",
        "Starting weights too large, mended: as Glorot draws them, they keep the gradient as large as it was.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=64)] * 5),
        Training(**_CLASSES, optimizer=SGD(learning_rate=0.05), epochs=20),
    ),
    _recipe(
        "dead-relus",
        "Dead relus",
        "Goes wrong on purpose: one huge step pushes every relu below 0 for all examples, where no gradient comes.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(**_CLASSES, optimizer=Adam(learning_rate=1.0), epochs=20),
    ),
    _recipe(
        "living-relus",
        "Living relus",
        "Dead relus, mended: the same network with steps a thousandth the size.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.001), epochs=20),
    ),
    _recipe(
        "saturated-tanh",
        "Saturated tanh",
        "Goes wrong on purpose: measurements in their own units, up to a thousand, drive every tanh to its flat ends.",
        "3 seconds",
        Wine(scaling="none"),
        (Dense(units=16, activation="tanh"),),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.005), batch_size=16, epochs=40),
    ),
    _recipe(
        "unsaturated-tanh",
        "Tanh in its middle",
        "Saturated tanh, mended: scaled measurements fall where tanh is steep.",
        "3 seconds",
        Wine(scaling="standard"),
        (Dense(units=16, activation="tanh"),),
        Training(**_CLASSES, optimizer=Adam(learning_rate=0.005), batch_size=16, epochs=40),
    ),
)

_MNIST = (
    _recipe(
        "mnist-mlp-128",
        "MNIST, one hidden layer",
        "The classic first network: 128 neurons read handwritten digits at 97 to 98 %.",
        "15 seconds",
        Mnist(validate_on="test"),
        (Flatten(), Dense(units=128)),
        Training(**_CLASSES, epochs=5),
    ),
    _recipe(
        "mnist-mlp-64-64",
        "MNIST, two hidden layers",
        "Two layers of 64 do with half the parameters nearly what one of 128 does.",
        "15 seconds",
        Mnist(validate_on="test"),
        (Flatten(), Dense(units=64), Dense(units=64)),
        Training(**_CLASSES, epochs=5),
    ),
    _recipe(
        "mnist-mlp-64-32",
        "MNIST, with a validation split",
        "A fifth of the training images is held out, so that over-fitting shows while there is still time.",
        "20 seconds",
        Mnist(validation_fraction=0.2),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(loss=CategoricalCrossentropy(), metrics=("accuracy", "precision", "recall"), batch_size=32, epochs=10),
    ),
    _recipe(
        "mnist-cnn",
        "MNIST, convolutional",
        "Thirty-two learned 3×3 filters halve the errors of a dense network.",
        "2 minutes",
        Mnist(validate_on="test"),
        (Conv2D(filters=32), MaxPooling2D(), Flatten(), Dense(units=128)),
        Training(**_CLASSES, epochs=5),
    ),
    _recipe(
        "mnist-mlp-scratch",
        "MNIST, every image in each step",
        "Weights from a normal distribution, the full batch in every step, and an end as soon as the loss is low.",
        "10 seconds",
        Mnist(examples=5000, validate_on="test"),
        (Flatten(), Dense(units=128, kernel_initializer="random_normal")),
        Training(
            loss=CategoricalCrossentropy(), metrics=("accuracy",), batch_size="full", epochs=1000, stop_at_loss=0.05
        ),
        Output(kernel_initializer="random_normal"),
    ),
    _recipe(
        "mlp-gradient-descent",
        "Gradient descent, nothing else",
        "Mean squared error and θ ← θ − α∇θ over all images at once: the textbook, step by step.",
        "20 seconds",
        Mnist(examples=5000, validate_on="test"),
        (Flatten(), Dense(units=128, kernel_initializer="random_normal")),
        Training(
            loss=MeanSquaredError(),
            metrics=("accuracy",),
            optimizer=SGD(learning_rate=1.0),
            batch_size="full",
            epochs=1000,
            stop_at_loss=0.015,
        ),
        Output(kernel_initializer="random_normal"),
    ),
    _recipe(
        "fashion-mnist-mlp",
        "Fashion, dense",
        "The same size as MNIST and much harder: shirts, pullovers and coats look alike.",
        "15 seconds",
        FashionMnist(),
        (Flatten(), Dense(units=128)),
        Training(**_CLASSES, epochs=10),
    ),
    _recipe(
        "fashion-mnist-cnn",
        "Fashion, convolutional",
        "Convolutions, batch normalization and dropout together; the confusion matrix shows what is left.",
        "4 minutes",
        FashionMnist(),
        (
            Conv2D(filters=32),
            BatchNormalization(),
            MaxPooling2D(),
            Conv2D(filters=64),
            MaxPooling2D(),
            Flatten(),
            Dropout(rate=0.3),
            Dense(units=128),
        ),
        Training(**_CLASSES, batch_size=64, epochs=5),
    ),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (*_POINTS, *_EMBEDDED, *_AILING, *_MNIST)}
"""Every recipe by its name, in the order in which Home shows them."""


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        SpecError: there is none.
    """
    if name in RECIPES:
        return RECIPES[name]
    near = difflib.get_close_matches(name.lower(), RECIPES, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(RECIPES)}."
    raise SpecError(f"Unknown recipe {name!r}. {hint}", "recipe")
