"""The 2-D playground: a network on points in the plane, drawn while it learns, and everything that one does to it."""

from playground.ui.play.playing import playground

__all__ = ["playground"]
