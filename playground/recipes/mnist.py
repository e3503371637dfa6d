"""Recipes on MNIST and Fashion-MNIST."""

from playground.recipes.base import CLASSES, ready
from playground.spec import Output, Training
from playground.spec.data import FashionMnist, Mnist
from playground.spec.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from playground.spec.losses import CategoricalCrossentropy, MeanSquaredError
from playground.spec.optimizers import SGD

RECIPES = (
    ready(
        "mnist-mlp-128",
        "MNIST, one hidden layer",
        "The classic first network: 128 neurons read handwritten digits at 97 to 98%.",
        "15 seconds",
        Mnist(validate_on="test"),
        (Flatten(), Dense(units=128)),
        Training(**CLASSES, epochs=5),
    ),
    ready(
        "mnist-mlp-64-64",
        "MNIST, two hidden layers",
        "Two layers of 64 do with half the parameters nearly what one of 128 does.",
        "15 seconds",
        Mnist(validate_on="test"),
        (Flatten(), Dense(units=64), Dense(units=64)),
        Training(**CLASSES, epochs=5),
    ),
    ready(
        "mnist-mlp-64-32",
        "MNIST, with a validation split",
        "A fifth of the training images is held out, so that over-fitting shows while there is still time.",
        "20 seconds",
        Mnist(validation_fraction=0.2),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(loss=CategoricalCrossentropy(), metrics=("accuracy", "precision", "recall"), batch_size=32, epochs=10),
    ),
    ready(
        "mnist-cnn",
        "MNIST, convolutional",
        "Thirty-two learned 3×3 filters halve the errors of a dense network.",
        "2 minutes",
        Mnist(validate_on="test"),
        (Conv2D(filters=32), MaxPooling2D(), Flatten(), Dense(units=128)),
        Training(**CLASSES, epochs=5),
    ),
    ready(
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
    ready(
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
    ready(
        "fashion-mnist-mlp",
        "Fashion, dense",
        "The same size as MNIST and much harder: shirts, pullovers and coats look alike.",
        "15 seconds",
        FashionMnist(),
        (Flatten(), Dense(units=128)),
        Training(**CLASSES, epochs=10),
    ),
    ready(
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
        Training(**CLASSES, batch_size=64, epochs=5),
    ),
)
