"""Points in the plane, drawn from the seed. Both classes are equally frequent, as nearly as the count allows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.datasets import make_circles, make_moons

from playground.data.dataset import Raw
from playground.data.features import features_of
from playground.spec.data import Circles, Data, Gaussians, Moons, Spirals, Xor

Drawn = tuple[NDArray[np.float64], NDArray[np.integer[Any]]]
"""Coordinates (n, 2) before any noise, and class (n,)."""

GAP = 0.06
"""Half the width of the empty cross between the quadrants of XOR (TensorFlow Playground leaves as much)."""


def load(spec: Moons | Circles | Xor | Spirals | Gaussians, seed: int, folders: Sequence[Path]) -> Raw:
    """``spec.samples`` points in random order, as their features and in the plane. The folders are not needed."""
    rng = np.random.default_rng(seed)
    x, y = GENERATORS[type(spec)](spec, rng)
    x = x + rng.normal(0, spec.noise, x.shape)
    order = rng.permutation(spec.samples)
    plane = x[order]
    return Raw(features_of(plane, spec.features), y[order], plane=plane)


def moons(spec: Moons, rng: Generator) -> Drawn:
    x, y = make_moons(spec.samples, shuffle=False)
    return x, y


def circles(spec: Circles, rng: Generator) -> Drawn:
    x, y = make_circles(spec.samples, shuffle=False, factor=spec.factor)
    return x, y


def xor(spec: Xor, rng: Generator) -> Drawn:
    """Uniform in the square −1…1, the quadrants in turn."""
    quadrant = np.arange(spec.samples) % 4
    signs = np.column_stack([quadrant // 2, (quadrant + 1) // 2 % 2]) * 2 - 1  # (n, 2) of ±1
    x = signs * rng.uniform(GAP, 1, (spec.samples, 2))
    return x, (x.prod(axis=1) > 0).astype(np.intp)


def spirals(spec: Spirals, rng: Generator) -> Drawn:
    """Two Archimedean arms of radius 1, half a turn apart, evenly spaced in angle as in TensorFlow Playground."""
    y = np.arange(spec.samples) % 2
    along = np.arange(spec.samples) // 2 / (spec.samples / 2)  # (n,) from 0 at the centre to 1
    angle = 2 * np.pi * spec.turns * along + np.pi * y
    return along[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), y


def gaussians(spec: Gaussians, rng: Generator) -> Drawn:
    """The centres (−1, −1) and (1, 1): the noise makes clouds of them."""
    y = np.arange(spec.samples) % 2
    return np.column_stack([2.0 * y - 1, 2.0 * y - 1]), y


GENERATORS: dict[type[Data], Callable[[Any, Generator], Drawn]] = {
    Moons: moons,
    Circles: circles,
    Xor: xor,
    Spirals: spirals,
    Gaussians: gaussians,
}
