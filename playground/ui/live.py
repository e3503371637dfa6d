"""A run as it happens. The same places hold placeholders before there is a run: the layout never jumps.

What moves (numbers, curves, examples, log) is a component of our own that hears of its run through the feed. What stays
Streamlit (buttons, decision surface) follows in fragments that look once a second.
"""

import json
import struct
from collections.abc import Mapping

import streamlit as st

from playground.displays import palette, words
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.records import Run, RunStatus
from playground.spec import Experiment
from playground.ui import feed, figure, navigation, state
from playground.ui.errors import guarded, show_error
from playground.ui.progress import hint
from playground.ui.steering import steering_row

PACE = 1.0
"""Seconds between two looks at a run for what is not fed: nobody reads faster."""
SOCKET = "live.socket"
"""Whether the browser follows the feed by itself; the session keeps it under this name."""
COLORS = {"training": palette.TRAINING, "validation": palette.VALIDATION}

# Packaged (pyproject.toml names its folder), so that the browser loads the scripts once.
_live = st.components.v2.component("playground.live", html='<div class="live"></div>', css="live.css", js="live.js")


def live_view(lab: Lab, run_id: str | None) -> None:
    """The run, moving while it lives; or the empty places for one."""
    moment = lab.follow(run_id) if run_id else None
    experiment = moment.run.experiment if moment else state.experiment()
    is_live = moment is not None and not moment.run.status.is_over
    pace = state.pace(PACE) if is_live else None
    brought = None if state.kept(SOCKET, True) else pace
    for part in ("head", "curves"):
        st.fragment(guarded(_part), run_every=brought, key=f"live_{part}_part")(lab, run_id, experiment, part)
        if part == "head":
            steering_row(lab, moment.run if moment else None)
            if moment and moment.run.status.is_over:
                _afterwards(lab, moment.run)
    if experiment.data.family == "points":
        st.fragment(guarded(_surface), run_every=pace, key="live_surface_part")(lab, run_id, experiment)
    if moment and moment.run.status.is_over:
        _details(moment.run)


def _part(lab: Lab, run_id: str | None, experiment: Experiment, part: str) -> None:
    """One of the two parts of the component. It keeps its place, and the browser what was zoomed into."""
    had_socket = state.kept(SOCKET, True)
    page = {
        "part": part,
        "run": run_id or "",
        "url": feed.url(run_id) if run_id else "",
        "metrics": [_metric(name) for name in ("loss", *experiment.training.metrics)],
        "colors": COLORS,
        "hint": hint(),
        "device": lab.engine_status().device,
    }
    frame = lab.follow(run_id).whole if run_id else b""
    shown = _live(
        key=f"live_{part}", data=packed(page, frame), default={"socket": True}, on_socket_change=lambda: None,
        height="content",
    )  # fmt: skip
    if part == "curves" and shown.socket != had_socket:
        state.keep(SOCKET, shown.socket)
        st.rerun()  # from now on the page has to bring the frames, or needs to no more


def packed(page: Mapping[str, object], frame: bytes) -> bytes:
    """What a component of a live run is given: uint32 length (little-endian) | JSON | a whole frame, or nothing."""
    text = json.dumps(page).encode()
    return struct.pack("<I", len(text)) + text + frame


def _metric(name: str) -> dict[str, object]:
    return {"name": name, "label": words.metric_name(name), "isShare": name in words.SHARES}


def _afterwards(lab: Lab, run: Run) -> None:
    """What one does with a run that is over."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not state.may_control(run):
            st.caption("Somebody else's run.")
        if run.scores:
            st.page_link(
                navigation.EVALUATE.page(), label="Evaluate", icon=":material/fact_check:", query_params=state.address()
            )
        if state.may_control(run):
            done = run.status is RunStatus.DONE
            more = run.experiment.training.epochs if done else 0
            st.button(
                f"{more:,} more epochs" if done else "Resume",
                icon=":material/resume:",
                key="resume",
                help="Goes on from where it stopped, optimizer and all.",
                on_click=_resume,
                args=(lab, run.id, more),
            )


def _resume(lab: Lab, run_id: str, more_epochs: int) -> None:
    try:
        lab.resume(run_id, more_epochs=more_epochs)
        lab.follow(run_id, fresh=0)  # the page is drawn for a live run again
    except PlaygroundError as error:
        state.complain(state.TRAIN, str(error))
    st.rerun()


def _surface(lab: Lab, run_id: str | None, experiment: Experiment) -> None:
    st.markdown("##### Decision surface")
    try:
        surface = lab.surface(experiment, lab.watch(run_id) if run_id else None)
    except PlaygroundError as error:
        show_error(error)
        return
    figure.show_surface(surface, key="live_surface")


def _details(run: Run) -> None:
    """What happened, folded away."""
    seconds = run.facts.get("seconds")
    lines = {
        "Run": run.id,
        "Seed": run.experiment.seed,
        "Execution": words.execution(run.plan) or run.experiment.training.execution,
        "Scores": ", ".join(f"{words.metric_name(name)} {words.score(value)}" for name, value in run.scores.items()),
        **{name.capitalize(): value for name, value in run.facts.items() if not isinstance(value, dict)},
    }
    if isinstance(seconds, dict):
        lines["Time"] = ", ".join(f"{name} {words.duration(value)}" for name, value in seconds.items())
    with st.expander("Details", icon=":material/receipt_long:"):
        st.table({name: str(value) for name, value in lines.items() if value not in ("", None)})
