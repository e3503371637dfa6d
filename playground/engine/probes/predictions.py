"""What the network says of given inputs, and which training examples are nearest to them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.probes.subject import Subject
from playground.spec.probes import Predictions


def predictions(subject: Subject, asked: Predictions, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """Scores of inputs, and their nearest training examples by Euclidean distance.

    Args:
        subject: the network.
        asked: how many neighbours.
        inputs: float32 (n, *input_shape); None: the test examples.

    Returns:
        ``scores`` float32, (n, classes) probabilities or (n,); with neighbours also ``neighbours``
        (n, k, *input_shape) in the data set's own units, ``neighbour_targets`` (n, k) and ``distances`` float32 (n, k)
        between the scaled inputs, nearest first.
    """
    x = subject.part("test")[0] if inputs is None else inputs
    found: dict[str, Any] = {"scores": np.asarray(subject.restored.scores(x), np.float32)}
    if asked.neighbours:
        x_train, y_train = subject.part("train")
        rows, distances = _nearest(x_train, x, min(asked.neighbours, len(x_train)))
        found |= {"neighbours": subject.raw(x_train[rows]), "neighbour_targets": y_train[rows], "distances": distances}
    return found


def _nearest(known: NDArray[Any], x: NDArray[Any], count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Rows of ``known`` nearest to each of ``x``, and how far they are: both (n, count), nearest first."""
    flat, wanted = known.reshape(len(known), -1), x.reshape(len(x), -1)
    # |a − b|² = |a|² − 2ab + |b|²: a product of matrices instead of n · known differences. einsum makes no copy of
    # fifty million numbers to square them.
    lengths = np.einsum("ij,ij->i", flat, flat)
    squares = lengths - 2 * wanted @ flat.T + np.einsum("ij,ij->i", wanted, wanted)[:, np.newaxis]
    rows = np.argsort(squares, axis=1, kind="stable")[:, :count]
    return rows, np.sqrt(np.take_along_axis(squares, rows, axis=1).clip(0)).astype(np.float32)
