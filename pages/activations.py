"""Activations: what every layer makes of one input, what its scores rest on, and how its units behave over many."""

from playground.ui import resources
from playground.ui.activations import answers, show_answers, show_units
from playground.ui.looking import choose_weights

lab = resources.lab()
looked = choose_weights(lab, what="Every layer's output")

if looked is not None and answers(lab, looked):
    show_answers(lab, looked)
    show_units(lab, looked)
