"""Recipes that go wrong on purpose, each with its mended twin."""

from playground.recipes.base import CLASSES, ready
from playground.spec import Training
from playground.spec.data import Digits, Wine
from playground.spec.layers import Dense, Flatten
from playground.spec.optimizers import SGD, Adam

RECIPES = (
    ready(
        "ten-sigmoids",
        "Ten sigmoid layers",
        "Goes wrong on purpose: each sigmoid passes on a quarter of the gradient at most, and none reaches the first.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=32, activation="sigmoid")] * 10),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.002), epochs=20),
    ),
    ready(
        "ten-relus",
        "Ten relu layers",
        "Ten sigmoid layers, mended: relu passes the gradient on as it is wherever it is not 0, and the depth learns.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=32, kernel_initializer="he_normal")] * 10),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.002), epochs=20),
    ),
    ready(
        "weights-too-large",
        "Starting weights too large",
        "Goes wrong on purpose: weights ten times too large make the gradient larger at every layer on its way back.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=64)] * 5),
        Training(**CLASSES, optimizer=SGD(learning_rate=0.05), epochs=20),
        weight_scale=10,
    ),
    ready(
        "weights-right-sized",
        "Starting weights of the right size",
        "Starting weights too large, mended: as Glorot draws them, they keep the gradient as large as it was.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=64)] * 5),
        Training(**CLASSES, optimizer=SGD(learning_rate=0.05), epochs=20),
    ),
    ready(
        "dead-relus",
        "Dead relus",
        "Goes wrong on purpose: one huge step pushes every relu below 0 for all examples, where no gradient comes.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(**CLASSES, optimizer=Adam(learning_rate=1.0), epochs=20),
    ),
    ready(
        "living-relus",
        "Living relus",
        "Dead relus, mended: the same network with steps a thousandth the size.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.001), epochs=20),
    ),
    ready(
        "saturated-tanh",
        "Saturated tanh",
        "Goes wrong on purpose: measurements in their own units, up to a thousand, drive every tanh to its flat ends.",
        "3 seconds",
        Wine(scaling="none"),
        (Dense(units=16, activation="tanh"),),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.005), batch_size=16, epochs=40),
    ),
    ready(
        "unsaturated-tanh",
        "Tanh in its middle",
        "Saturated tanh, mended: scaled measurements fall where tanh is steep.",
        "3 seconds",
        Wine(scaling="standard"),
        (Dense(units=16, activation="tanh"),),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.005), batch_size=16, epochs=40),
    ),
)
