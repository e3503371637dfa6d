"""Parts of a page that ask the engine: they look again by themselves while it is busy, and while the run trains."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.errors import EngineUnavailable
from playground.lab import Lab
from playground.spec.probes import Example
from playground.ui import state
from playground.ui.errors import guarded, show_error
from playground.ui.looking import Looked

WAITING, WATCHING = 1, 3
"""Seconds between two looks: at an engine that is busy, and at a run that trains."""


def answers(lab: Lab, looked: Looked) -> bool:
    """Whether the engine answers questions to these weights. While it does not, say so and look again by itself.

    Raises:
        NotFound: no such weights.
        SpecError: they cannot be looked into.
    """
    if _unavailable(lab, looked) is None:
        return True
    st.fragment(guarded(_look_again), run_every=WAITING, key="activations_waiting")(lab, looked)
    return False


def _unavailable(lab: Lab, looked: Looked) -> EngineUnavailable | None:
    try:
        lab.probe(looked.saved, Example(part="train"))
    except EngineUnavailable as error:
        return error
    return None


def _look_again(lab: Lab, looked: Looked) -> None:
    error = _unavailable(lab, looked)
    if error is None:
        st.rerun()
    else:
        show_error(error)


def section(looked: Looked, key: str, draw: Callable[..., None], *args: Any) -> None:
    """Draw a part of the page in a fragment of its own.

    Args:
        looked: the weights that are looked into; the newest ones of a live run change.
        key: names the fragment.
        draw: draws it from ``args``.
        *args: for ``draw``.
    """
    waiting = f"activations.waiting.{key}"
    is_live = looked.is_live

    def drawn() -> None:
        was_waiting = state.kept(waiting, False)
        try:
            draw(*args)
        except EngineUnavailable as error:
            show_error(error)
            state.keep(waiting, True)
        else:
            state.keep(waiting, False)
        if state.kept(waiting) != was_waiting:
            st.rerun()  # a fragment keeps the pace it was drawn with; the next run of the page gives it another

    pace = WAITING if state.kept(waiting, False) else state.pace(WATCHING) if is_live else None
    st.fragment(guarded(drawn), run_every=pace, key=key)()
