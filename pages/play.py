"""Playground: a network on points in the plane, in sight from its inputs to its answer, played by hand."""

from playground.ui import resources
from playground.ui.play import playground

lab = resources.lab()

playground(lab)
