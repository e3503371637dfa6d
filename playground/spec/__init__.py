"""What was asked: an experiment and all its parts. Frozen, JSON, versioned; no Keras, no files, no Streamlit."""

from playground.spec.base import Spec, changed
from playground.spec.check import check, check_schedule, metrics_for, scores_for
from playground.spec.data import DATASETS, DataFacts, DataSpec, Task
from playground.spec.experiment import Experiment, Model, Output
from playground.spec.layers import LAYERS, Layer, LayerSpec
from playground.spec.losses import LOSSES, LossSpec, losses_for
from playground.spec.optimizers import OPTIMIZERS, OptimizerSpec
from playground.spec.parse import experiment_schema, explain, parse_experiment, with_settings
from playground.spec.schedules import SCHEDULES, ReduceOnPlateau, Schedule, ScheduleSpec
from playground.spec.size import is_small
from playground.spec.training import Training

__all__ = [
    "DATASETS", "LAYERS", "LOSSES", "OPTIMIZERS", "SCHEDULES", "DataFacts", "DataSpec", "Experiment", "Layer",
    "LayerSpec", "LossSpec", "Model", "OptimizerSpec", "Output", "ReduceOnPlateau", "Schedule", "ScheduleSpec", "Spec",
    "Task", "Training", "changed", "check", "check_schedule", "experiment_schema", "explain", "is_small", "losses_for",
    "metrics_for", "parse_experiment", "scores_for", "with_settings",
]  # fmt: skip
