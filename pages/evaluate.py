"""Evaluate: how good a finished run is, and where it errs."""

from playground.ui import resources, state
from playground.ui.judging import choose_run_and_split, show_classification, show_regression

lab = resources.lab()
run, split = choose_run_and_split(lab, state.run_id())

if run is not None:
    show = show_regression if run.experiment.data.task == "regression" else show_classification
    show(lab, run, split)
