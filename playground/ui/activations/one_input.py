"""One input and all that the network makes of it: a part of the page that is drawn anew alone for another input."""

import streamlit as st

from playground.lab import Lab
from playground.ui.activations.layers import show_input, show_layers
from playground.ui.activations.saliency import begin_saliency, show_saliency
from playground.ui.errors import guarded
from playground.ui.looking import Looked


def show_answers(lab: Lab, looked: Looked) -> None:
    """The choice of an input, its prediction, the layers and the saliency."""
    st.fragment(guarded(_answers), key="activations_answers")(lab, looked)


def _answers(lab: Lab, looked: Looked) -> None:
    chosen = show_input(lab, looked)
    if chosen is not None:
        begin_saliency(lab, looked, chosen)
        show_layers(lab, looked, chosen)
        show_saliency(lab, looked, chosen)
