"""Recipes on the data sets that scikit-learn carries inside."""

from playground.recipes.base import CLASSES, ready
from playground.spec import Training
from playground.spec.data import BreastCancer, Diabetes, Digits, Iris, Wine
from playground.spec.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from playground.spec.losses import BinaryCrossentropy, MeanSquaredError
from playground.spec.optimizers import Adam

RECIPES = (
    ready(
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
        Training(**CLASSES, optimizer=Adam(learning_rate=0.003), epochs=30),
    ),
    ready(
        "digits-mlp",
        "Small digits, dense",
        "The same digits laid out as 64 numbers: a dense network does not know which pixels are neighbours.",
        "5 seconds",
        Digits(),
        (Flatten(), Dense(units=64), Dense(units=32)),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.002), epochs=30),
    ),
    ready(
        "iris",
        "Iris",
        "Four measurements of a flower tell its species; two of the three overlap.",
        "3 seconds",
        Iris(),
        (Dense(units=16),),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.01), batch_size=16, epochs=60),
    ),
    ready(
        "wine",
        "Wine",
        "Thirteen chemical measurements of very different size: scaling makes them comparable.",
        "3 seconds",
        Wine(),
        (Dense(units=16), Dropout(rate=0.2)),
        Training(**CLASSES, optimizer=Adam(learning_rate=0.01), batch_size=16, epochs=40),
    ),
    ready(
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
    ready(
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
