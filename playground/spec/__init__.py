"""What was asked: an experiment and all its parts. Frozen, JSON, versioned; no Keras, no files, no Streamlit."""

from playground.spec.base import Spec, changed
from playground.spec.check import check, metrics_for
from playground.spec.data import DATASETS, DataFacts, DataSpec, Task
from playground.spec.experiment import Experiment, Model, Output
from playground.spec.layers import LAYERS, Layer, LayerSpec
from playground.spec.losses import LOSSES, LossSpec, losses_for
from playground.spec.optimizers import OPTIMIZERS, OptimizerSpec
from playground.spec.parse import experiment_schema, explain, parse_experiment, with_settings
from playground.spec.size import is_small
from playground.spec.training import Training

__all__ = [
    "DATASETS", "LAYERS", "LOSSES", "OPTIMIZERS", "DataFacts", "DataSpec", "Experiment", "Layer", "LayerSpec",
    "LossSpec", "Model", "OptimizerSpec", "Output", "Spec", "Task", "Training", "changed", "check",
    "experiment_schema", "explain", "is_small", "losses_for", "metrics_for", "parse_experiment", "with_settings",
]  # fmt: skip
