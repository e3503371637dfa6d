"""What must hold before anything is judged."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import PlaygroundError


def check_arrays(y_true: NDArray[Any], predicted: NDArray[Any]) -> None:
    """Refuse what has no scores.

    Raises:
        PlaygroundError: no examples, different lengths, or predictions that are not finite.
    """
    if len(y_true) != len(predicted):
        raise PlaygroundError(
            f"There are {len(y_true):,} targets but {len(predicted):,} predictions. Train the network again."
        )
    if not len(y_true):
        raise PlaygroundError("There are no examples to judge. Choose another split, or give this one a share above 0.")
    broken = np.count_nonzero(~np.isfinite(predicted).reshape(len(predicted), -1).all(axis=1))
    if broken:
        raise PlaygroundError(
            f"The network's output is not a finite number for {broken:,} of {len(y_true):,} examples. Lower the "
            "learning rate and train again."
        )
