"""Activations: what every layer makes of one input, what its scores rest on, and how its units behave over many."""

from playground.ui import resources
from playground.ui.activations import answers, begin_saliency, show_input, show_layers, show_saliency, show_units
from playground.ui.looking import choose_weights

lab = resources.lab()
looked = choose_weights(lab, what="Every layer's output")

if looked is not None and answers(lab, looked):
    chosen = show_input(lab, looked)
    if chosen is not None:
        begin_saliency(lab, looked, chosen)
        show_layers(lab, looked, chosen)
        show_saliency(lab, looked, chosen)
    show_units(lab, looked)
