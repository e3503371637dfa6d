"""The training loop: :func:`fit` for any Keras model and arrays, :class:`Loop` for a run of the engine."""

from playground.engine.training.callback import Callback
from playground.engine.training.fit import class_weights, fit
from playground.engine.training.learner import Learner
from playground.engine.training.loop import Loop
from playground.engine.training.plan import Pilot, Plan
from playground.engine.training.program import Program, batches_of, build_all, variables_of
from playground.engine.training.rate import LearningRate
from playground.engine.training.schedule import Schedule
from playground.engine.training.source import OnDevice, Source, Streamed, Window
from playground.engine.training.stage import Stage, stage_at

__all__ = [
    "Callback", "Learner", "LearningRate", "Loop", "OnDevice", "Pilot", "Plan", "Program", "Schedule", "Source",
    "Stage", "Streamed", "Window", "batches_of", "build_all", "class_weights", "fit", "stage_at", "variables_of",
]  # fmt: skip
