"""Splitting: which examples train, which validate, which test."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from playground.data.facts import describe, is_stratified, sizes
from playground.errors import SpecError
from playground.spec.data import Collected, Data, Split

Indices = NDArray[np.intp]


class Parts(NamedTuple):
    """Indices of the examples of each split, (n,). What nothing was held out of keeps its original order."""

    train: Indices
    validation: Indices
    test: Indices
    """Empty for a data set that brings its own test set."""


def split(spec: Data, y: NDArray[Any], seed: int) -> Parts:
    """The parts of the examples whose targets are ``y`` (n,); the same for the same seed.

    Test examples are held out first, so they do not depend on how many labelled examples are asked for.

    Raises:
        SpecError: a split is too small to hold every class.
    """
    counts = sizes(spec)
    rest, test = _hold_out(spec, np.arange(len(y)), y, counts.test if isinstance(spec, Split) else 0, seed)
    if isinstance(spec, Collected) and spec.examples is not None:
        rest = _draw(rest, y[rest] if is_stratified(spec) else np.zeros(len(rest), int), spec.examples, seed)
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
                f"The class {describe(spec).class_names[names[members.argmin()]]!r} has a single example, which "
                "cannot be in two splits. Use more examples, or turn Stratify off.",
                "data.stratify",
            )
    kept, held = train_test_split(indices, test_size=count, random_state=seed, stratify=classes)
    return kept, held


def _draw(indices: Indices, classes: NDArray[Any], count: int, seed: int) -> Indices:
    """``count`` of the indices in their order, with the share of each class (n,) kept.

    Seats are given out as in a parliament, by the method of Adams: each class has one before any has two. A smaller
    draw is part of a larger one.
    """
    order = np.random.default_rng(seed).permutation(len(indices))
    turn = np.empty(len(indices))
    for name in np.unique(classes):
        members = order[classes[order] == name]
        turn[members] = np.arange(len(members)) / len(members)
    return np.sort(indices[order[np.argsort(turn[order], kind="stable")[:count]]])
