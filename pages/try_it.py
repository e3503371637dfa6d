"""What a network says of your own input."""

from playground.ui import resources
from playground.ui.looking import choose_weights

lab = resources.lab()
chosen = choose_weights(lab, what="What a network says of your own input")
