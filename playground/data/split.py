"""Splitting: which examples train, which validate, which test."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from playground.data.facts import KNOWN, is_stratified, sizes
from playground.errors import SpecError
from playground.spec.data import Data, Split

Indices = NDArray[np.intp]


class Parts(NamedTuple):
    """Indices of the examples of each split, (n,). What nothing was held out of keeps its original order."""

    train: Indices
    validation: Indices
    test: Indices
    """Empty for a data set that brings its own test set."""


def split(spec: Data, y: NDArray[Any], seed: int) -> Parts:
    """The parts of the examples whose targets are ``y`` (n,); the same for the same seed.

    Raises:
        SpecError: a split is too small to hold every class.
    """
    counts = sizes(spec)
    rest, test = _hold_out(spec, np.arange(len(y)), y, counts.test if isinstance(spec, Split) else 0, seed)
    train, validation = _hold_out(spec, rest, y, 0 if spec.validate_on == "test" else counts.validation, seed)
    return Parts(train, validation, test)


def _hold_out(spec: Data, indices: Indices, y: NDArray[Any], count: int, seed: int) -> tuple[Indices, Indices]:
    """``indices`` without ``count`` of them, and those."""
    if count == 0:
        return indices, indices[:0]
    classes = y[indices] if is_stratified(spec) else None
    if classes is not None:
        names, members = np.unique(classes, return_counts=True)
        if members.min() < 2:
            raise SpecError(
                f"The class {KNOWN[type(spec)].class_names[names[members.argmin()]]!r} has a single example, which "
                "cannot be in two splits. Use more examples, or turn Stratify off.",
                "data.stratify",
            )
    kept, held = train_test_split(indices, test_size=count, random_state=seed, stratify=classes)
    return kept, held
