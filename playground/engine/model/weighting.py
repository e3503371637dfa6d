"""How much the examples of each class count in the training loss."""

import numpy as np
from numpy.typing import NDArray

from playground.spec import Experiment


def class_weights_of(y: NDArray[np.integer], experiment: Experiment, classes: int) -> tuple[float, ...] | None:
    """The weight of each class; None where all examples count the same.

    "balanced" is n / (classes · n_class) over the training examples, as scikit-learn's ``compute_class_weight`` has it
    (King & Zeng, 2001); a class without examples gets 0.

    Args:
        y: class index (n,) of the training examples alone.
        experiment: says how classes are weighted.
        classes: how many there are.
    """
    asked = experiment.training.class_weight
    if asked != "balanced":
        return asked
    counts = np.bincount(y, minlength=classes)
    return tuple(len(y) / (classes * count) if count else 0.0 for count in counts.tolist())


def sample_weights(y: NDArray[np.integer], weights: tuple[float, ...]) -> NDArray[np.float32]:
    """Class weights as sample weights, which is what ``fit`` makes of them: float32 (n,)."""
    return np.asarray(weights, np.float32)[y]
