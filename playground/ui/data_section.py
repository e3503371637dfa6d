"""The choice of data: which set, a picture of it, how it is scaled and split."""

import functools
from typing import Any

import streamlit as st

from playground.data import Preview
from playground.displays.preview import ImageGrid, TablePreview
from playground.errors import EngineUnavailable, PlaygroundError
from playground.lab import Lab, edits
from playground.spec import DATASETS, DataFacts, changed
from playground.ui import figure, state
from playground.ui.errors import guarded, show_error
from playground.ui.spec_form import folded, spec_form

LABELS = {data.model_fields["kind"].default: data.label for data in DATASETS}


def data_section(lab: Lab) -> None:
    """The data set and its picture."""
    data = state.experiment().data
    key = state.widget_key("data", "kind")
    st.selectbox(
        "Data set",
        list(LABELS),
        index=list(LABELS).index(data.kind),
        format_func=LABELS.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=_choose,
        args=(lab, key),
    )
    st.caption(type(data).help)
    try:
        facts = lab.facts(data)
    except PlaygroundError as error:
        show_error(error)
    else:
        if data.family != "points":  # points are drawn where their decision surface grows
            _picture(lab)
        st.caption(_says(facts, data.validate_on == "test"))
    st.fragment(guarded(_options), key="data_options")(lab)


def _options(lab: Lab) -> None:
    data = state.experiment().data
    form = functools.partial(spec_form, data, functools.partial(_change, lab), "data", show="all")
    folded("Scaling, split and more", "data_more", form)


def _choose(lab: Lab, key: str) -> None:
    kind = state.widget_value(key)
    # The data set decides which losses and layers fit, so every form follows.
    state.edit(lab, lambda experiment: edits.with_data_kind(experiment, kind), redraw=True)


def _change(lab: Lab, name: str, value: Any) -> None:
    before = state.experiment()
    after = edits.with_data(before, changed(before.data, **{name: value}))
    has_followed = (after.model, after.training) != (before.model, before.training)
    state.edit(lab, lambda _: after, redraw=has_followed)


def _picture(lab: Lab) -> None:
    """The examples; while nobody can be asked for them, a try every second."""
    waiting = _preview(lab) is None
    st.fragment(guarded(_draw_picture), run_every=1 if waiting else None, key="data_picture")(lab, waiting)


def _draw_picture(lab: Lab, was_waiting: bool) -> None:
    with st.container(key="data_picture", height="content"):
        preview = _preview(lab)
        if preview is None:
            st.caption(":material/hourglass_top: The picture appears when the engine is ready.")
            return
        if was_waiting:
            st.rerun()
        if preview.facts.family == "images":
            grid = ImageGrid(preview.x, preview.y, preview.facts.class_names)
            st.image(grid.plot(), width="stretch", alt=grid.summary())
            if not preview.facts.class_names[0].isdigit():
                st.caption(f"Down the first half, then down the second: {', '.join(preview.facts.class_names)}.")
        else:
            facts = preview.facts
            table = TablePreview(preview.x, preview.y, facts.feature_names, facts.class_names, facts.target_name)
            figure.show(table.plot(), key="data_table", title=False)


def _preview(lab: Lab) -> Preview | None:
    experiment = state.experiment()
    try:
        return lab.preview(experiment.data, experiment.seed)
    except EngineUnavailable:
        return None


def _says(facts: DataFacts, validated_on_test: bool) -> str:
    parts = [f"{facts.train:,} examples to train on"]
    if validated_on_test:
        parts.append(f"{facts.test:,} to validate and test")
    else:
        parts += [f"{facts.validation:,} to validate", f"{facts.test:,} to test"]
    return ", ".join(parts) + "."
