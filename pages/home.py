"""Home: three ways to begin, ready experiments, and what was trained last."""

import streamlit as st

from playground.ui import resources
from playground.ui.cards import ready_experiments, run_cards, ways_to_begin

lab = resources.lab()

st.markdown("# Keras Playground")
st.markdown("Choose data, stack layers, press Train, and watch a real Keras network learn.")
ways_to_begin(lab)
ready_experiments(lab)
run_cards(lab, lab.runs(limit=6))
