"""Recipes on points in the plane."""

from playground.recipes.base import BINARY, ready
from playground.spec import Training
from playground.spec.data import Circles, Gaussians, Moons, Spirals, Xor
from playground.spec.layers import Dense
from playground.spec.optimizers import SGD, Adam

RECIPES = (
    ready(
        "spirals",
        "Two spirals",
        "Two hidden layers bend the plane until each arm lies on its own side.",
        "5 seconds",
        Spirals(samples=1000, noise=0.03),
        (Dense(units=16), Dense(units=16)),
        Training(**BINARY, optimizer=Adam(learning_rate=0.02), epochs=200),
    ),
    ready(
        "two-moons",
        "Two moons",
        "Sixteen neurons in two layers draw a curved border between two half circles.",
        "3 seconds",
        Moons(),
        (Dense(units=8), Dense(units=8)),
        Training(**BINARY, optimizer=Adam(learning_rate=0.02), epochs=60),
    ),
    ready(
        "circles",
        "A circle in a ring",
        "A handful of neurons, each a straight line, close around the inner circle.",
        "3 seconds",
        Circles(),
        (Dense(units=6, activation="tanh"),),
        Training(**BINARY, optimizer=Adam(learning_rate=0.03), epochs=80),
    ),
    ready(
        "xor",
        "XOR",
        "What a single neuron cannot separate, four hidden ones can.",
        "3 seconds",
        Xor(),
        (Dense(units=4, activation="tanh"),),
        Training(**BINARY, optimizer=Adam(learning_rate=0.03), epochs=100),
    ),
    ready(
        "gaussians",
        "Two clouds",
        "Two linear neurons draw the straight line between two clouds, by plain gradient descent.",
        "2 seconds",
        Gaussians(),
        (Dense(units=2, activation="linear"),),
        Training(**BINARY, optimizer=SGD(learning_rate=0.1), epochs=30),
    ),
)
