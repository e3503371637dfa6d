"""The page: the component that draws and plays, and the settings under it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from playground.data import Preview
from playground.errors import EngineUnavailable, PlaygroundError
from playground.lab import Lab
from playground.lab.play import PLAY
from playground.spec import DATASETS
from playground.spec.data import Points
from playground.ui import feed, state
from playground.ui.errors import guarded
from playground.ui.play.commands import FALLBACK, PLACE, obey, shown_run
from playground.ui.play.packing import SET_POINTS, Shown
from playground.ui.play.settings import settings

KEY = "playground"
WAITING, WITHOUT_SOCKET = 0.5, 0.3
"""Seconds until the page looks again: for an engine that starts, and for the frames of a run without its socket."""
SETS = tuple(kind for kind in DATASETS if issubclass(kind, Points))

# Packaged (pyproject.toml names its folder), so that the browser loads the script once.
_play = st.components.v2.component(
    "playground.play",
    html=(Path(__file__).parent.parent / "frontend" / "play.html").read_text(encoding="utf-8"),
    css="play.css",
    js="play.js",
)


def playground(lab: Lab) -> None:
    """Everything in sight: data, features, network, output, and what one does with them."""
    if state.offer(PLAY):
        st.rerun()  # the strip above is drawn already
    if not isinstance(state.experiment().data, Points):
        _elsewhere(lab)
        return
    pace = _pace(_shown(lab))
    st.fragment(guarded(_playground), run_every=pace, key="play")(lab, pace)


def _elsewhere(lab: Lab) -> None:
    label = type(state.experiment().data).label
    st.info(f"The playground draws networks on points in the plane, and {label} does not lie in one.")
    if st.button("Play with spirals", type="primary", icon=":material/play_arrow:", key="play_spirals"):
        state.start(lab, PLAY)
        state.write_address()
        st.rerun()


def _pace(shown: Shown) -> float | None:
    """How often the page has to be drawn by itself: while answers are missing, or where the feed cannot be followed."""
    if shown.waiting:
        return WAITING
    return WITHOUT_SOCKET if shown.frame else None


def _playground(lab: Lab, pace: float | None) -> None:
    shown = _shown(lab)
    _play(
        key=KEY,
        data=shown.packed(),
        height="content",
        on_command_change=lambda: _command(lab),
        on_changed_change=_redraw,
    )
    settings(lab)
    if _pace(shown) != pace:  # of what is drawn: an answer may have come since
        st.rerun()


def _command(lab: Lab) -> None:
    given: Mapping[str, Any] | None = state.widget_value(KEY).get("command")
    if given:
        obey(lab, given)
        _redraw()


def _redraw() -> None:
    st.rerun(("play", "strip"))


def _shown(lab: Lab) -> Shown:
    """What there is to show now."""
    experiment, run = state.experiment(), shown_run(lab)
    moment = lab.follow(run.id) if run else None
    problem, waiting, opening, examples = state.problem(PLACE), "", b"", None
    sets: dict[type[Points], Preview] = {}
    try:
        if moment is None or "network" not in moment.pictures:  # the feed brings its own at once
            opening = lab.opening(experiment)
        examples = lab.preview(experiment.data, experiment.seed)
        for kind in SETS:
            sets[kind] = examples if isinstance(experiment.data, kind) else _preview(lab, kind)
    except EngineUnavailable as error:
        waiting = str(error)
    except PlaygroundError as error:
        problem = problem or str(error)
    return Shown(
        experiment, opening, examples, sets, lab.facts(experiment.data).class_names, run=run.id if run else "",
        status=run.status.value if run else "",
        url=feed.url(run.id) if run and not state.kept(FALLBACK) else "",
        frame=moment.whole if moment and state.kept(FALLBACK) else b"", problem=problem, waiting=waiting,
    )  # fmt: skip


def _preview(lab: Lab, kind: Any) -> Preview:
    """Points of a data set with its own noise, for its button."""
    return lab.preview(kind(samples=SET_POINTS), 0)
