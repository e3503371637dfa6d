"""Models: every network that can be used again, from a run or from a file, and the door through which files come."""

import streamlit as st

from playground.ui import resources
from playground.ui.library import choose_cards, model_cards, take_in

lab = resources.lab()

st.markdown("### Models")
take_in(lab)
cards = choose_cards(lab)
if cards:
    model_cards(lab, cards)
