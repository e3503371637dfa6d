"""The foot of the side bar: how the engine is, and who waits."""

import streamlit as st

from playground.displays import words
from playground.lab import Lab
from playground.records import RunStatus
from playground.ui import state
from playground.ui.errors import guarded

CALM, STARTING = 10.0, 2.0
"""Seconds between two looks at the engine."""
LOOKS = {
    "ready": ("check_circle", "green"),
    "starting": ("hourglass_top", "orange"),
    "lost": ("error", "red"),
    "none": ("circle", "gray"),
}
MANY = 200


def sidebar(lab: Lab) -> None:
    """Engine and queue, refreshed slowly."""
    ready = lab.engine_status().state == "ready"
    with st.sidebar:
        pace = state.pace(CALM if ready else STARTING)
        st.fragment(guarded(_engine), run_every=pace, key="engine")(lab, ready)


def _engine(lab: Lab, was_ready: bool) -> None:
    status = lab.engine_status()
    if (status.state == "ready") != was_ready:
        st.rerun()  # pages show more (or less) from now on, and the pace changes
    icon, color = LOOKS[status.state]
    if status.state == "ready":
        workers = words.plural(status.workers, "train worker")
        says = f"{workers} · {status.device}" if status.device else workers
    else:
        says = status.message
    active = lab.runs(statuses=(RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED), limit=MANY)
    waiting = sum(run.status is RunStatus.QUEUED for run in active)
    # One element, for each costs a browser 10 ms and more, on every page.
    st.markdown(
        f":{color}[:material/{icon}:] Engine {status.state}\n\n"
        f":small[:gray[{words.plain(says)}]]\n\n"
        f":small[:gray[{len(active) - waiting} running · {waiting} waiting]]"
    )
