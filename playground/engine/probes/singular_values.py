"""How much a layer stretches its input in each direction."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.probes.gradients import variable_of
from playground.engine.probes.subject import Subject
from playground.errors import SpecError
from playground.spec.probes import SingularValues


def singular_values(subject: Subject, asked: SingularValues, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """``values`` float64 (k,), descending: the singular values of a kernel, seen as a matrix (inputs, outputs).

    Raises:
        SpecError: no such variable, or it is a vector.
    """
    kernel = variable_of(subject.model, asked.variable).numpy().astype(np.float64)
    if kernel.ndim < 2:
        raise SpecError(f"The variable {asked.variable} is no matrix. Choose the kernel of a layer.", "variable")
    return {"values": np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)}
