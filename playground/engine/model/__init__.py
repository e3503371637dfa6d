"""Experiment -> ``keras.Model``, and its description."""

from playground.engine.model.build import build_model, compile_model, encode_targets, scores_of
from playground.engine.model.describe import describe

__all__ = ["build_model", "compile_model", "describe", "encode_targets", "scores_of"]
