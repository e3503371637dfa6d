"""Gradients: what is wrong with a training and why, how its gradients and steps fare, and whether they are right."""

from playground.ui import resources
from playground.ui.gradients import show_check, show_flow, show_health, show_more
from playground.ui.looking import choose_weights

lab = resources.lab()
chosen = choose_weights(lab, what="The size of every layer's gradients and updates")

if chosen is not None:
    run, saved = chosen
    show_health(lab, run)
    show_flow(lab, run, saved)
    show_check(lab, saved)
    show_more(lab, saved)
