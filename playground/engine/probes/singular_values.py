"""How much a layer stretches its input in each direction."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.probes.gradients import variable_of
from playground.engine.probes.subject import Subject
from playground.spec.probes import SingularValues


def singular_values(subject: Subject, asked: SingularValues, inputs: NDArray[np.floating] | None) -> dict[str, Any]:
    """``values`` float64 (k,), descending: the singular values of a kernel, seen as a matrix (inputs, outputs)."""
    kernel = np.asarray(variable_of(subject.model, asked.variable).value, np.float64)
    return {"values": np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)}
