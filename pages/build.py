"""Build & train: data and network on the left, what happens on the right."""

import streamlit as st

from playground.errors import SpecError
from playground.ui import resources, state
from playground.ui.bench import experiment_buttons
from playground.ui.data_section import data_section
from playground.ui.errors import show_error
from playground.ui.layer_stack import layer_stack
from playground.ui.live import live_view
from playground.ui.training_section import training_section

lab = resources.lab()

with st.container(key="bench_live" if state.run_id() else "bench"):
    choices, happening = st.columns([5, 7], gap="medium")

with choices:
    experiment_buttons(lab)
    st.markdown("#### Data")
    data_section(lab)
    try:
        facts = lab.facts(state.experiment().data)
    except SpecError as error:
        show_error(error)
    else:
        st.markdown("#### Model")
        layer_stack(lab, facts)
        st.markdown("#### Training")
        training_section(lab, facts)

with happening, st.container(key="happening"):
    live_view(lab, state.run_id())
