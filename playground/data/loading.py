"""Loading: find the examples, split them, scale them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.data import embedded, mnist, points, scaling
from playground.data.dataset import Array, Dataset, Preview, Raw
from playground.data.facts import KNOWN, chosen_classes, describe
from playground.data.split import split
from playground.errors import DataMissing
from playground.spec.data import Data, FashionMnist, Mnist

Loader = Callable[[Any, int, Sequence[Path]], Raw]

LOADERS: dict[type[Data], Loader] = {
    **dict.fromkeys(points.GENERATORS, points.load),
    **dict.fromkeys(embedded.SOURCES, embedded.load),
    Mnist: mnist.load,
    FashionMnist: mnist.load,
}
"""Every data set and the function that finds its examples."""

SHOWN = {"points": 2_000, "table": 200, "images": 10}
"""The most that a preview shows: points or rows in all, pictures of each class."""


def load(spec: Data, seed: int, folders: Sequence[Path]) -> Dataset:
    """The data set that ``spec`` asks for, split and scaled.

    Args:
        spec: which data, and how to split and scale it.
        seed: decides generated points and who falls into which split.
        folders: where to look for files, in this order; then in Keras's own cache.

    Raises:
        DataMissing: its files are not on this machine, or damaged.
        SpecError: a split is too small to hold every class.
    """
    raw = _of_chosen_classes(spec, LOADERS[type(spec)](spec, seed, folders))
    parts = split(spec, raw.y, seed)
    x_train = raw.x[parts.train]
    scaler = scaling.fit(spec, x_train)
    x_test, y_test = raw.test or (raw.x[parts.test], raw.y[parts.test])
    test = scaler.transform(x_test), _targets(spec, y_test)
    if spec.validate_on == "test":
        validation = test
    else:
        validation = scaler.transform(raw.x[parts.validation]), _targets(spec, raw.y[parts.validation])
    return Dataset(
        describe(spec), scaler, scaler.transform(x_train), _targets(spec, raw.y[parts.train]), *validation, *test,
        plane=None if raw.plane is None else raw.plane[parts.train],
    )  # fmt: skip


def preview(spec: Data, seed: int, folders: Sequence[Path], *, limit: int = 2_000) -> Preview:
    """Some examples to draw: of a set that brings its own test set, training examples only.

    Args:
        spec: which data.
        seed: as for :func:`load`.
        folders: as for :func:`load`.
        limit: at most so many points or rows in all, or pictures of each class; :data:`SHOWN` holds as well.

    Raises:
        DataMissing: its files are not on this machine, or damaged.
        SpecError: a split is too small to hold every class.
    """
    raw = _of_chosen_classes(spec, LOADERS[type(spec)](spec, seed, folders))
    parts = split(spec, raw.y, seed)
    part = np.zeros(len(raw.y), np.uint8)
    part[parts.validation], part[parts.test] = 1, 2
    used = np.sort(np.concatenate([parts.train, parts.validation, parts.test]))
    chosen = used[_chosen(spec, raw.y[used], min(limit, SHOWN[spec.family]))]
    x = raw.x[chosen]
    if raw.plane is not None:
        x = raw.plane[chosen].astype(np.float32)
    elif spec.family == "images":
        x = np.round(x * (255 / scaling.WHITE[type(spec)])).astype(np.uint8)
    return Preview(describe(spec), x, _targets(spec, raw.y[chosen]), part[chosen])


def _of_chosen_classes(spec: Data, raw: Raw) -> Raw:
    """The examples of the classes that ``spec`` takes, numbered anew in its order."""
    known, chosen = KNOWN[type(spec)], chosen_classes(spec)
    if chosen == tuple(range(len(known.class_names))):
        return raw
    number = np.full(len(known.class_names), -1)
    number[list(chosen)] = np.arange(len(chosen))

    def taken(x: Array, y: Array, counts: Sequence[int]) -> tuple[Array, Array]:
        numbered = number[y]
        if (numbered >= 0).sum() != sum(counts[index] for index in chosen):
            raise DataMissing(
                f"The files of {spec.label} do not hold as many examples of each class as were published. Replace them."
            )
        return x[numbered >= 0], numbered[numbered >= 0]

    return Raw(*taken(raw.x, raw.y, known.counts), raw.test and taken(*raw.test, known.test_counts))


def _chosen(spec: Data, y: NDArray[Any], limit: int) -> NDArray[np.intp]:
    """Indices of the examples that a preview shows."""
    if spec.family == "images":
        return np.concatenate([np.flatnonzero(y == name)[:limit] for name in np.unique(y)])
    return np.arange(min(limit, len(y)))


def _targets(spec: Data, y: NDArray[Any]) -> NDArray[Any]:
    return y.astype(np.float32 if spec.task == "regression" else np.int32)
