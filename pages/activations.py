"""Activations: what every layer makes of one input, what its scores rest on, and how its units behave over many."""

from playground.ui import resources
from playground.ui.activations import answers, show_input, show_layers, show_saliency, show_units
from playground.ui.looking import choose_weights

lab = resources.lab()
chosen = choose_weights(lab, what="Every layer's output")

if chosen is not None and answers(lab, chosen[1]):
    run, saved = chosen
    looked_at = show_input(lab, run, saved)
    if looked_at is not None:
        show_layers(lab, run, saved, looked_at)
        show_saliency(lab, run, saved, looked_at)
    show_units(lab, run, saved)
