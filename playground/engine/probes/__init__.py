"""Questions to a network with its saved weights. A probe is a class in ``spec/probes``, a function here, a display.

A function gets a :class:`Subject`, the probe and the inputs that came with it, and answers with plain arrays and JSON.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.caches import Recent
from playground.engine.model.restore import restore
from playground.engine.probes.activations import activations
from playground.engine.probes.examples import example, ranges
from playground.engine.probes.gradients import gradient_check, gradients
from playground.engine.probes.predictions import predictions
from playground.engine.probes.saliency import grad_cam, saliency
from playground.engine.probes.singular_values import singular_values
from playground.engine.probes.subject import Subject
from playground.engine.probes.units import strongest, units
from playground.settings import Settings
from playground.spec.probes import (
    Activations,
    Example,
    GradCam,
    GradientCheck,
    Gradients,
    Predictions,
    Probe,
    Ranges,
    Saliency,
    SingularValues,
    Strongest,
    Units,
)
from playground.spec.saved import Saved
from playground.store import Store

Answer = dict[str, Any]
Asked = Callable[[Subject, Any, NDArray[np.floating] | None], Answer]

PROBES: dict[type[Probe], Asked] = {
    Predictions: predictions,
    Activations: activations,
    Units: units,
    Strongest: strongest,
    Saliency: saliency,
    GradCam: grad_cam,
    Example: example,
    Ranges: ranges,
    Gradients: gradients,
    GradientCheck: gradient_check,
    SingularValues: singular_values,
}
"""Every probe and the function that answers it."""

_subjects: Recent[Subject] = Recent(8)


def answer(
    store: Store, settings: Settings, saved: Saved, asked: Probe, inputs: NDArray[np.floating] | None = None
) -> Answer:
    """What ``asked`` finds in the weights that ``saved`` names.

    Args:
        store: keeps the weights.
        settings: where data is found.
        saved: whose weights.
        asked: the question.
        inputs: examples (n, *input_shape) in the data set's own units, not scaled; None: the probe takes those of the
            run's data.

    Raises:
        NotFound: no such weights.
        SpecError: the probe does not apply, or the inputs do not fit; the message says why.
    """

    def look() -> Subject:
        return Subject(restore(store, saved), settings)

    # Weights of an epoch and of the library never change, the newest ones of a run do until it is over.
    run = store.run(saved.run) if saved.run and saved.epoch is None else None
    is_fixed = run is None or run.status.is_over
    version = (run.attempt, run.ended) if run else None
    subject = _subjects.get((saved.model_dump_json(), version), look) if is_fixed else look()
    return PROBES[type(asked)](subject, asked, None if inputs is None else subject.accept(inputs))
