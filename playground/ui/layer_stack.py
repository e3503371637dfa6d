"""The stack of layers: a card a layer, with what Keras says of it beside it."""

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.displays import words
from playground.displays.stack import StackPicture
from playground.errors import EngineUnavailable, PlaygroundError
from playground.lab import Lab, edits
from playground.records import Description, LayerRow
from playground.spec import LAYERS, DataFacts, Experiment, Layer, Output, Spec
from playground.ui import state
from playground.ui.errors import guarded
from playground.ui.spec_form import Apply, options, spec_form

REDRAWS = ("stack", "strip", "bench")
"""The fragments that show the network, or whether there is something to take back."""


def layer_stack(lab: Lab, facts: DataFacts) -> None:
    """The stack in a fragment of its own, so that an edit redraws the stack and nothing else of the page."""
    warming = _describe(lab)[1] is not None
    # While the engine starts, ask again every second; then the stack only moves when it is edited.
    st.fragment(guarded(_stack), run_every=1 if warming else None, key="stack")(lab, facts, warming)


def _stack(lab: Lab, facts: DataFacts, was_warming: bool) -> None:
    description, unavailable = _describe(lab)
    if was_warming is not (unavailable is not None):
        st.rerun()  # only the page can begin to look again by itself, or cease to
    layers = state.experiment().model.layers
    rows = {row.id: row for row in description.rows}
    if description.rows and not description.error:
        st.html(StackPicture.from_description(facts.input_shape, description).html())
    if unavailable is not None:
        st.caption(f":material/hourglass_top: {unavailable} Shapes and parameters appear when it is ready.")
    for index, layer in enumerate(layers):
        row = None if unavailable is not None and description.error else rows.get(layer.id)
        _card(lab, index, layer, row, last=index == len(layers) - 1)
        if description.error and description.error_index == index:
            st.error(description.error, icon=":material/error:")
    _add_button(lab)
    _output_card(lab, description)
    if description.error and description.error_index is None:
        st.error(description.error, icon=":material/error:")
    elif not description.error:
        _totals(description)


def _describe(lab: Lab) -> tuple[Description, EngineUnavailable | None]:
    """The newest description; while there is no engine to ask, the last one and why."""
    try:
        description = lab.describe(state.experiment())
    except EngineUnavailable as unavailable:
        return state.last_description() or Description(), unavailable
    except PlaygroundError as error:
        return Description(error=str(error)), None
    if not description.error:
        state.remember_description(description)
    return description, None


def _card(lab: Lab, index: int, layer: Layer, row: LayerRow | None, *, last: bool) -> None:
    main = type(layer).main
    rest = [field.name for field in options(type(layer)) if field.name not in main]
    with st.container(border=True, key=f"layer_{layer.id}", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
            _title(layer.icon, layer.label, row)
            _more(layer, functools.partial(_change, lab, layer.id), layer.id, rest)
            move = functools.partial(edits.move_layer, layer_id=layer.id)
            _icon_button(lab, layer, "Move up", "arrow_upward", functools.partial(move, by=-1), disabled=index == 0)
            _icon_button(lab, layer, "Move down", "arrow_downward", functools.partial(move, by=1), disabled=last)
            _icon_button(lab, layer, "Remove", "close", functools.partial(edits.remove_layer, layer_id=layer.id))
        if main:
            spec_form(layer, functools.partial(_change, lab, layer.id), layer.id, only=main, redraws=REDRAWS)


def _title(icon: str, label: str, row: LayerRow | None) -> None:
    st.markdown(f":material/{icon}: **{label}** :gray[:small[{_says(row)}]]", width="stretch")


def _icon_button(
    lab: Lab, layer: Layer, name: str, icon: str, change: Callable[[Experiment], Experiment], *, disabled: bool = False
) -> None:
    st.button(
        f"{name} {layer.label}",  # read to those who do not see the icon
        key=state.widget_key(layer.id, icon),
        icon=f":material/{icon}:",
        type="tertiary",
        disabled=disabled,
        on_click=_edit,
        args=(lab, change),
    )


def _more(spec: Spec, apply: Apply, name: str, fields: list[str]) -> None:
    """What a layer does, and its other options, behind a button."""
    more = st.popover(
        f"More of {type(spec).label}", type="tertiary", icon=":material/tune:", key=f"more_{name}", on_change="rerun"
    )
    if more.open:  # what nobody looks at is not drawn
        with more:
            st.markdown(type(spec).help)
            spec_form(spec, apply, name, only=fields, redraws=REDRAWS)


def _says(row: LayerRow | None) -> str:
    return "" if row is None else f"→ {words.shape(row.output_shape)} · {_parameters(row.parameters)}"


def _parameters(number: int) -> str:
    return words.plural(number, "parameter") if number else "no parameters"


def _output_card(lab: Lab, description: Description) -> None:
    output = state.experiment().model.output
    row = description.rows[-1] if description.rows and not description.error else None
    card = st.container(border=True, key="layer_output", gap="xxsmall")
    with card, st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
        _title("output", "Output layer", row)
        _more(output, functools.partial(_change_output, lab), "output", [field.name for field in options(Output)])
    if description.error and description.error_index == -1:
        st.error(description.error, icon=":material/error:")


def _add_button(lab: Lab) -> None:
    with st.popover("Add a layer", icon=":material/add:", width="stretch", key="add_layer"):
        for layer in LAYERS:
            st.button(
                layer.label,
                key=state.widget_key("add", layer.__name__),
                icon=f":material/{layer.icon}:",
                help=layer.help,
                type="tertiary",
                on_click=_edit,
                args=(lab, functools.partial(edits.add_layer, kind=layer.model_fields["kind"].default)),
            )


def _totals(description: Description) -> None:
    parts = [
        f"**{description.parameters:,}** parameters",
        f"{words.short_count(description.flops)} FLOPs an example",
        f"{words.size(description.memory)} while training",
    ]
    st.markdown(" · ".join(parts))


def _edit(lab: Lab, change: Callable[[Experiment], Experiment]) -> None:
    state.edit(lab, change)
    st.rerun(REDRAWS)


def _change(lab: Lab, layer_id: str, name: str, value: Any) -> None:
    state.edit(lab, lambda experiment: edits.change_layer(experiment, layer_id, **{name: value}))


def _change_output(lab: Lab, name: str, value: Any) -> None:
    state.edit(lab, lambda experiment: edits.change_output(experiment, **{name: value}))
