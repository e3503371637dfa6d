"""The choice of training: loss, optimizer, batches, epochs."""

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.displays import words
from playground.lab import Lab, edits
from playground.spec import OPTIMIZERS, DataFacts, changed, losses_for, metrics_for
from playground.ui import state
from playground.ui.care_section import Section, care, optimizer_details, stop_rules
from playground.ui.errors import guarded
from playground.ui.schedule_section import schedule_section
from playground.ui.spec_form import folded, put, spec_form

REDRAWS = ("training", "stack", "strip", "bench")
BATCHES: tuple[int | str, ...] = (8, 16, 32, 64, 128, 256, 512, 1024, "full")


def training_section(lab: Lab, facts: DataFacts) -> None:
    """How the network learns, in a fragment of its own."""
    st.fragment(guarded(_training), key="training")(lab, facts)


def _training(lab: Lab, facts: DataFacts) -> None:
    experiment = state.experiment()
    training = experiment.training
    losses = {loss.model_fields["kind"].default: loss for loss in losses_for(facts.task)}
    _choice(
        lab, "Loss", {kind: loss.label for kind, loss in losses.items()}, training.loss.kind, edits.with_loss_kind,
        f"{type(training.loss).help}  \n$${training.loss.formula}$$",
    )  # fmt: skip
    spec_form(training.loss, _apply(lab, "loss"), "loss", redraws=REDRAWS)
    optimizers = {optimizer.model_fields["kind"].default: optimizer.label for optimizer in OPTIMIZERS}
    _choice(
        lab, "Optimizer", optimizers, training.optimizer.kind, edits.with_optimizer_kind, type(training.optimizer).help
    )
    spec_form(training.optimizer, _apply(lab, "optimizer"), "optimizer", redraws=REDRAWS)
    schedule_section(lab, facts, REDRAWS)
    left, right = st.columns(2)
    with left:
        _batch(lab, training.batch_size)
    with right:
        spec_form(training, _apply(lab), "epochs", only=("epochs",), redraws=REDRAWS)
    _metrics(lab, metrics_for(experiment, facts), training.metrics)
    section = Section(lab, facts, REDRAWS)
    folded("Stop rules", "stop_rules", functools.partial(stop_rules, section))
    folded("Care", "care", functools.partial(care, section))
    folded("More", "training_more", functools.partial(_advanced, lab))


def _advanced(lab: Lab) -> None:
    experiment = state.experiment()
    training = experiment.training
    if own := optimizer_details(training.optimizer):
        spec_form(training.optimizer, _apply(lab, "optimizer"), "optimizer", only=own, redraws=REDRAWS)
    spec_form(training, _apply(lab), "training", only=("execution", "shuffle"), redraws=REDRAWS)
    spec_form(experiment, functools.partial(_change, lab), "experiment", only=("seed",), redraws=REDRAWS)


def _choice(lab: Lab, label: str, choices: dict[str, str], chosen: str, change: Any, help: str) -> None:
    key = state.widget_key("training", label)
    kinds = list(choices) if chosen in choices else [chosen, *choices]

    def choose() -> None:
        kind = state.widget_value(key)
        state.edit(lab, lambda experiment: change(experiment, kind))
        st.rerun(REDRAWS)

    st.selectbox(
        label, kinds, index=kinds.index(chosen), format_func=lambda kind: choices.get(kind, kind), key=key, help=help,
        on_change=choose,
    )  # fmt: skip


def _batch(lab: Lab, size: int | str) -> None:
    key = state.widget_key("training", "batch_size")

    def take(chosen: int | str) -> None:
        put(_apply(lab), key, "batch_size", chosen)
        st.rerun(REDRAWS)

    batch_size(
        key, size, take,
        help="Examples per step; full: all of them, one step an epoch (gradient descent proper). Type any number.",
    )  # fmt: skip
    if problem := state.problem(key):
        st.markdown(f":red[:material/error: {problem}]")


def batch_size(key: str, size: int | str, take: Callable[[int | str], None], help: str) -> None:
    """A choice among the usual sizes; any other can be typed, sense or nonsense. What holds now is chosen."""
    sizes = list(BATCHES) if size in BATCHES else [size, *BATCHES]

    def choose() -> None:
        chosen = str(state.widget_value(key)).strip()
        take(int(chosen) if chosen.isdecimal() else chosen)

    st.selectbox(
        "Batch size", sizes, index=sizes.index(size), key=key, accept_new_options=True, on_change=choose, help=help
    )


def _metrics(lab: Lab, fitting: list[str], chosen: tuple[str, ...]) -> None:
    key = state.widget_key("training", "metrics", *fitting)

    def choose() -> None:
        state.edit(lab, lambda experiment: edits.with_training(experiment, metrics=tuple(state.widget_value(key))))
        st.rerun(REDRAWS)

    st.pills(
        "Metrics", fitting, selection_mode="multi", default=[metric for metric in chosen if metric in fitting],
        format_func=words.metric_name, key=key, on_change=choose,
        help="Scores that Keras reports while training; the first one is drawn.",
    )  # fmt: skip


def _apply(lab: Lab, part: str = "") -> Any:
    """Puts a value into the training, or into its loss or optimizer."""

    def apply(name: str, value: Any) -> None:
        def change(experiment: Any) -> Any:
            if not part:
                return edits.with_training(experiment, **{name: value})
            changed_part = changed(getattr(experiment.training, part), **{name: value})
            return edits.with_training(experiment, **{part: changed_part})

        state.edit(lab, change)

    return apply


def _change(lab: Lab, name: str, value: Any) -> None:
    state.edit(lab, lambda experiment: changed(experiment, **{name: value}))
