"""What the base learns now: its own data or other, which classes and how many examples."""

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from playground import data
from playground.displays import words
from playground.lab import Lab
from playground.lab.tuning import Base
from playground.spec import DATASETS, DataSpec, Experiment, changed
from playground.ui import state
from playground.ui.spec_form import folded, spec_form
from playground.ui.tuning.planned import edit, say_problem, start_of

LABELS = {kind.model_fields["kind"].default: kind.label for kind in DATASETS}


def data_section(lab: Lab, experiment: Experiment) -> None:
    """The same data or new, which classes and how many examples, and whether it fits the base."""
    base = lab.tuning.base(start_of(experiment).base)
    key = state.widget_key("tuning", "data")

    def choose() -> None:
        kind = state.widget_value(key)
        new = base.experiment.data if kind == base.experiment.data.kind else _dataset(kind)
        edit(lab, experiment, lambda shown: lab.tuning.with_data(shown, new), redraw=True)

    st.selectbox(
        "Data set", list(LABELS), index=list(LABELS).index(experiment.data.kind), key=key, on_change=choose,
        format_func=lambda kind: _data_label(kind, base),
        help="What it learns now: the data of the base model, or another set whose examples have the same size.",
    )  # fmt: skip
    _choose_classes(lab, experiment)
    apply = functools.partial(_change_data, lab, experiment)
    if "examples" in type(experiment.data).model_fields:
        spec_form(experiment.data, apply, "tuning_examples", only=("examples",))
    form = functools.partial(_more_data, experiment.data, apply)
    folded("Scaling, split and more", "tuning_data_more", form)


def _more_data(shown: DataSpec, apply: Callable[[str, Any], None]) -> None:
    fields = [name for name in type(shown).model_fields if name not in ("kind", "classes", "examples")]
    spec_form(shown, apply, "tuning_data", only=fields)


def _data_label(kind: str, base: Base) -> str:
    if kind == base.experiment.data.kind:
        return f"{LABELS[kind]} (the base model's)"
    return f"{LABELS[kind]} · {words.shape(data.describe(_dataset(kind)).input_shape)}"


def _dataset(kind: str) -> Any:
    return next(one for one in DATASETS if one.model_fields["kind"].default == kind)()


def _choose_classes(lab: Lab, experiment: Experiment) -> None:
    shown = experiment.data
    if "classes" not in type(shown).model_fields:
        return
    every = data.describe(changed(shown, classes=None)).class_names
    key = state.widget_key("tuning", "classes", shown.kind)

    def choose() -> None:
        picked = [name for name in every if name in state.widget_value(key)]
        state.complain(key, "" if len(picked) > 1 else "Two classes at least are needed to tell apart.")
        if len(picked) > 1:
            _change_data(lab, experiment, "classes", None if len(picked) == len(every) else tuple(picked))

    st.pills(
        "Classes", every, selection_mode="multi", default=list(data.describe(shown).class_names), key=key,
        on_change=choose, help="Which of its classes it learns; they are numbered anew.",
    )  # fmt: skip
    say_problem(key)


def _change_data(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    edit(lab, experiment, lambda shown: lab.tuning.with_data(shown, changed(shown.data, **{name: value})))
