"""An input, what the network says of it, and what every layer makes of it."""

from pathlib import Path

import numpy as np
import streamlit as st

from playground.displays import words
from playground.displays.layer_rows import LayerRows
from playground.displays.tiles import Scale
from playground.displays.trying import Probabilities
from playground.lab import Lab
from playground.spec.probes import Activations
from playground.ui import figure
from playground.ui.activations.asking import section
from playground.ui.inputs import Chosen, called, choose_input
from playground.ui.looking import Looked

STYLE = Path(__file__).parents[1] / "frontend" / "activations.css"
OPEN = 10
"""Layers drawn at once; of a deeper network the others wait until they are opened."""
SCALES = {"layer": "Layer", "unit": "Unit", "global": "All layers"}


def show_input(lab: Lab, looked: Looked) -> Chosen | None:
    """The choice of an input, beside what the network says of it; None as long as there is nothing to look at."""
    st.html(STYLE)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("##### Input")
        chosen = choose_input(lab, looked.experiment, looked.saved)
        if chosen is None:
            st.caption("The network's layers stand here as soon as there is an input.")
    if chosen is not None:
        with right:
            section(looked, "activations_prediction", _prediction, lab, looked, chosen)
    return chosen


def asked_of(chosen: Chosen) -> Activations:
    """The question for every layer's output for an input."""
    return Activations(target=None if chosen.target is None else float(chosen.target))


def _prediction(lab: Lab, looked: Looked, chosen: Chosen) -> None:
    found = lab.probe(looked.saved, asked_of(chosen), chosen.x)
    facts = lab.facts(looked.experiment.data)
    st.markdown("##### Prediction")
    if facts.class_names:
        shown = Probabilities.from_scores(np.asarray(found["scores"]), facts.class_names)
        figure.show(shown.plot(), key="activations_probabilities", title=False)
    else:
        st.metric(facts.target_name.capitalize(), words.score(float(found["scores"])))
    if found["of"] == "loss":
        st.caption(f"True: {called(chosen.target, facts)}. Loss of this input {words.score(found['value'])}.")


def show_layers(lab: Lab, looked: Looked, chosen: Chosen) -> None:
    """A row a layer: activation, its gradient, weights, their gradients."""
    st.markdown("#### Layers")
    section(looked, "activations_layers", _layers, lab, looked, chosen)


def _layers(lab: Lab, looked: Looked, chosen: Chosen) -> None:
    rows = LayerRows.from_answer(lab.probe(looked.saved, asked_of(chosen), chosen.x))
    scale: Scale = st.segmented_control(
        "Strongest colour", list(SCALES), default="layer", required=True, format_func=SCALES.__getitem__,
        key="activations_scale", persist_state="session",
        help="For what the strongest colour stands: the largest value of the layer, of each map or kernel (a unit), or "
        "of all layers. Numbers that stand alone are coloured by layer also on the scale of units.",
    )  # fmt: skip
    st.caption(f"{rows.summary()} Orange is negative, blue positive; what is never negative goes from dark to yellow.")
    for index, row in enumerate(rows.rows):
        fold = st.expander(row.title, expanded=index < OPEN, key=f"activations_row_{row.id}", on_change="rerun")
        if fold.open:
            fold.html(rows.html(row, scale))
