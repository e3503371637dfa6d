"""The experiment that the page plans: how it is changed, and where its problems are said."""

from collections.abc import Callable

import streamlit as st

from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.spec import Experiment
from playground.spec.start import Start
from playground.ui import state


def edit(
    lab: Lab, shown: Experiment, change: Callable[[Experiment], Experiment], *, redraw: bool = False
) -> None:  # fmt: skip
    """Change what is planned; what is only proposed goes on the bench first, as a draft of its own."""
    if shown == state.experiment():
        state.edit(lab, change, redraw=redraw)
        return
    state.start(lab, change(shown))
    state.write_address()


def start_of(experiment: Experiment) -> Start:
    """Where it starts from. Raises PlaygroundError: from nothing that was saved."""
    if experiment.start is None:
        raise PlaygroundError("This experiment starts from no saved weights. Choose a base model.")
    return experiment.start


def say_problem(place: str) -> None:
    """What is wrong at a place of a form, under it."""
    if problem := state.problem(place):
        st.markdown(f":red[:material/error: {problem}]")
