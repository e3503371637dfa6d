"""The data sets that scikit-learn carries inside: they need no network and no files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from playground.data.dataset import Raw
from playground.spec.data import BreastCancer, Data, Diabetes, Digits, Iris, Wine


def load(spec: Data, seed: int, folders: Sequence[Path]) -> Raw:
    """The whole data set in scikit-learn's order. Neither seed nor folders are needed."""
    return SOURCES[type(spec)]()


def _digits() -> Raw:
    bunch = load_digits()
    return Raw(bunch.images.astype(np.uint8)[..., np.newaxis], bunch.target)  # (1797, 8, 8, 1), 0–16


def _table(source: Callable[..., Any], **options: Any) -> Callable[[], Raw]:
    return lambda: Raw(*source(return_X_y=True, **options))


SOURCES: dict[type[Data], Callable[[], Raw]] = {
    Digits: _digits,
    Iris: _table(load_iris),
    Wine: _table(load_wine),
    BreastCancer: _table(load_breast_cancer),
    # scikit-learn's own scaling of this set has seen the test examples.
    Diabetes: _table(load_diabetes, scaled=False),
}
