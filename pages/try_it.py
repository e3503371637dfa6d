"""Try it: what a network says of your own input."""

from playground.ui import resources
from playground.ui.trying import choose_network, try_network

lab = resources.lab()
chosen = choose_network(lab)

if chosen is not None:
    try_network(lab, *chosen)
