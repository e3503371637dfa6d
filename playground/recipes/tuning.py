"""Recipes that start from what another experiment has learned: it is trained first, then adapted."""

from typing import Any

from playground.recipes import embedded, mnist
from playground.recipes.base import CLASSES, Recipe
from playground.spec import Experiment, Model, Training, changed
from playground.spec.data import DataSpec, Digits, FashionMnist, Mnist
from playground.spec.layers import Conv2D, GlobalAveragePooling2D, MaxPooling2D
from playground.spec.optimizers import Adam
from playground.spec.saved import Saved
from playground.spec.start import Continue, HeadOnly, HeadThenAll, TuningPlan
from playground.spec.tuning import tuned

TO_BE_TRAINED = Saved(run="base")
"""Stands for the run of the base until there is one."""


def _ready(
    name: str,
    title: str,
    summary: str,
    takes: str,
    base: Experiment,
    plan: TuningPlan,
    data: DataSpec | None = None,
    **training: Any,
) -> Recipe:
    experiment = tuned(base, TO_BE_TRAINED, data, plan, name=title)
    experiment = changed(experiment, training=changed(experiment.training, **training))
    return Recipe(name, title, summary, takes, experiment, base)


def _experiment(recipes: tuple[Recipe, ...], name: str) -> Experiment:
    return next(recipe.experiment for recipe in recipes if recipe.name == name)


_MNIST_CNN = _experiment(mnist.RECIPES, "mnist-cnn")
_DIGITS_CNN = _experiment(embedded.RECIPES, "digits-cnn")

# Three convolutions and no wide layer after them: what it has learned is in its filters, and those can be used again.
_MNIST_DEEP = Experiment(
    name="MNIST, three convolutions",
    data=Mnist(validate_on="test"),
    model=Model(
        layers=(
            Conv2D(filters=16),
            MaxPooling2D(),
            Conv2D(filters=32),
            MaxPooling2D(),
            Conv2D(filters=64),
            GlobalAveragePooling2D(),
        )
    ),
    training=Training(**CLASSES, optimizer=Adam(learning_rate=0.003), batch_size=64, epochs=3),
)

RECIPES = (
    _ready(
        "mnist-cnn-finetune",
        "MNIST, five epochs more",
        "A trained network is saved, read again, and goes on for five epochs at a tenth of its rate.",
        "4 minutes",
        _MNIST_CNN,
        Continue(),
        optimizer=changed(_MNIST_CNN.training.optimizer, learning_rate=0.0001),
    ),
    _ready(
        "digits-0-4-to-5-9",
        "From 0–4 to 5–9",
        "What a network has learned of five digits helps it with the other five, of which it sees ten each.",
        "20 seconds",
        changed(_DIGITS_CNN, name="Small digits, 0 to 4", data=Digits(classes=(0, 1, 2, 3, 4))),
        HeadOnly(last=2),
        Digits(classes=(5, 6, 7, 8, 9), examples=50),
        epochs=10,
    ),
    _ready(
        "mnist-to-fashion",
        "From digits to clothes",
        "Filters learned from 60,000 digits give 1,000 pictures of clothes a head start, which counts in few epochs.",
        "2 minutes",
        _MNIST_DEEP,
        HeadThenAll(head_epochs=2, rate_factor=1.0),
        FashionMnist(examples=1000),
        epochs=5,
        batch_size=32,
    ),
)
