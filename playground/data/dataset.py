"""The shapes of what ``data/`` gives: arrays and what is known of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.data.scaling import Scaler
from playground.spec import DataFacts

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Raw:
    """A data set as its source gives it, neither split nor scaled."""

    x: Array
    """(n, *input_shape): uint8 for pictures, else float64."""
    y: Array
    """(n,): class index, or the number to predict."""
    test: tuple[Array, Array] | None = None
    """x and y of a data set that brings its own test set; None: the test examples are split off these."""
    plane: NDArray[np.float64] | None = None
    """Of points: where they lie, (n, 2); ``x`` are their features."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set ready to train on.

    ``x`` is float32, C-contiguous, (n, *facts.input_shape), scaled by ``scaler``; ``y`` is int32 class index (n,), or
    float32 (n,) in its own unit for a regression. With ``validate_on="test"`` the validation arrays *are* the test
    arrays; with a validation share of 0 they are empty.
    """

    facts: DataFacts
    scaler: Scaler
    x_train: NDArray[np.float32]
    y_train: Array
    x_validation: NDArray[np.float32]
    y_validation: Array
    x_test: NDArray[np.float32]
    y_test: Array
    plane: NDArray[np.float64] | None = None
    """Of points: where the training examples lie, (n, 2), neither scaled nor turned into features."""


@dataclass(frozen=True, eq=False)
class Preview:
    """Some examples of a data set, to draw it."""

    facts: DataFacts
    x: Array
    """Points: float32 (n, 2), where they lie, neither scaled nor turned into features. Tables: float64 (n, features),
    in their own units. Pictures: uint8 (n, height, width, channels), 0 black to 255 white."""
    y: Array
    """(n,): int32 class index, or float32 number."""
    part: NDArray[np.uint8]
    """(n,): to which split each belongs: 0 training, 1 validation, 2 test."""
