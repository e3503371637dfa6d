"""The page Activations: an input and its prediction, the layers, saliency, and the units over many examples."""

from playground.ui.activations.asking import answers
from playground.ui.activations.layers import show_input, show_layers
from playground.ui.activations.saliency import begin_saliency, show_saliency
from playground.ui.activations.units import show_units

__all__ = ["answers", "begin_saliency", "show_input", "show_layers", "show_saliency", "show_units"]
