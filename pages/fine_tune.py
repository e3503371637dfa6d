"""A saved model that learns something new."""

from playground.ui import resources
from playground.ui.looking import choose_weights

lab = resources.lab()
chosen = choose_weights(lab, what="A saved model that learns something new")
