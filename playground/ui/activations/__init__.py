"""The page Activations: an input and its prediction, the layers, saliency, and the units over many examples."""

from playground.ui.activations.asking import answers
from playground.ui.activations.one_input import show_answers
from playground.ui.activations.units import show_units

__all__ = ["answers", "show_answers", "show_units"]
