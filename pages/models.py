"""Every saved model."""

from playground.ui import resources
from playground.ui.looking import choose_weights

lab = resources.lab()
chosen = choose_weights(lab, what="Every saved model")
