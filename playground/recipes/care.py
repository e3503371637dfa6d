"""Recipes that take care: each mends by a rule or an option what its network would do without it."""

from playground.recipes.base import CLASSES, ready
from playground.spec import Training
from playground.spec.data import BreastCancer, Digits
from playground.spec.layers import Dense, Flatten
from playground.spec.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from playground.spec.optimizers import SGD, Adam
from playground.spec.stopping import EarlyStopping

RECIPES = (
    ready(
        "stopped-in-time",
        "Stopped in time",
        "A hundred digits are soon learnt by heart: early stopping ends that and goes back to the best epoch.",
        "5 seconds",
        Digits(examples=150),
        (Flatten(), Dense(units=256), Dense(units=256)),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.003), epochs=300, stop_rules=(EarlyStopping(patience=15),)),
    ),
    ready(
        "costly-mistakes",
        "Some mistakes cost more",
        "A malignant tumour taken for a benign one counts ten times: the network errs on the safe side.",
        "3 seconds",
        BreastCancer(),
        (Dense(units=16),),
        Training(
            loss=BinaryCrossentropy(),
            metrics=("accuracy", "precision", "recall"),
            optimizer=Adam(learning_rate=0.003),
            epochs=40,
            class_weight=(10.0, 1.0),
        ),
    ),
    ready(
        "never-quite-sure",
        "Never quite sure",
        "Smoothed labels ask for 91% instead of certainty, so the confidence of a wrong answer stays low.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(
            loss=SparseCategoricalCrossentropy(label_smoothing=0.1),
            metrics=("accuracy",),
            optimizer=Adam(learning_rate=0.002),
            epochs=30,
        ),
    ),
    ready(
        "explosion-tamed",
        "Explosion tamed",
        "Starting weights too large, tamed: gradients that end it at the third step are cut to length one.",
        "5 seconds",
        Digits(),
        (Flatten(), *[Dense(units=64)] * 5),
        Training(**CLASSES, optimizer=SGD(learning_rate=0.05, global_clipnorm=1.0), epochs=20),
        weight_scale=10,
    ),
)
