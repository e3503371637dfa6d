"""Home: three ways to begin, ready experiments, and what was trained last."""

import streamlit as st

from playground.recipes import SECTIONS
from playground.ui import resources
from playground.ui.cards import recipe_cards, run_cards, ways_to_begin

lab = resources.lab()

st.markdown("# Keras Playground")
st.markdown("Choose data, stack layers, press Train, and watch a real Keras network learn.")
ways_to_begin(lab)

for title, recipes in SECTIONS.items():
    recipe_cards(lab, title, recipes)

run_cards(lab, lab.runs(limit=6))
