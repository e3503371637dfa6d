"""The size of every layer's gradients and updates."""

from playground.ui import resources
from playground.ui.looking import choose_weights

lab = resources.lab()
chosen = choose_weights(lab, what="The size of every layer's gradients and updates")
