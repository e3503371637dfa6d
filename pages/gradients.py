"""Gradients: what is wrong with a training and why, how its gradients and steps fare, and whether they are right."""

from playground.ui import resources
from playground.ui.gradients import show_check, show_flow, show_health, show_more
from playground.ui.looking import choose_weights

lab = resources.lab()
looked = choose_weights(lab, what="The size of every layer's gradients and updates")

if looked is not None:
    if looked.run is not None:
        show_health(lab, looked.run)
    show_flow(lab, looked)
    show_check(lab, looked.saved)
    show_more(lab, looked.saved)
