"""Is a run small enough to share a worker with others? Answered without Keras, so that queueing needs none."""

from playground.spec.data import Points
from playground.spec.experiment import Experiment
from playground.spec.layers import Dense

SMALL = 100_000
"""Parameters below which a run on points in the plane counts as small."""


def is_small(experiment: Experiment) -> bool:
    """Whether the run takes a share of a slot instead of a whole one: points in the plane, under 100,000 parameters."""
    if not isinstance(experiment.data, Points):
        return False
    width, parameters = 2, 0
    for layer in experiment.model.layers:
        if isinstance(layer, Dense):
            parameters += (width + 1) * layer.units
            width = layer.units
    return parameters < SMALL
