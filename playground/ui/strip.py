"""The experiment strip: one line over every page that is about an experiment, always in the same place.

Somebody who reads only the strip knows what they are looking at.
"""

import streamlit as st

from playground.displays import words
from playground.displays.stack import StackPicture
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.records import Description, Run, RunStatus
from playground.spec import Experiment
from playground.ui import navigation, state
from playground.ui.errors import guarded

STATUS_LOOKS = {
    RunStatus.QUEUED: ("schedule", "gray"),
    RunStatus.RUNNING: ("play_circle", "green"),
    RunStatus.PAUSED: ("pause_circle", "orange"),
    RunStatus.DONE: ("check_circle", "blue"),
    RunStatus.FAILED: ("error", "red"),
    RunStatus.INTERRUPTED: ("warning", "orange"),
    RunStatus.STOPPED: ("stop_circle", "gray"),
}
"""Icon and colour of each state; the word always stands beside them."""
PACE = 3.0
"""Seconds between two looks at whether a live run queues, runs or pauses. The rest of the page says it at once."""


def status_badge(run: Run) -> None:
    """The state of a run; that it is to stop is said at once."""
    icon, color = STATUS_LOOKS[run.status]
    stopping = run.controls.stop and not run.status.is_over
    st.badge("stopping" if stopping else run.status.value, icon=f":material/{icon}:", color=color)


def short_id(run_id: str) -> str:
    """Enough of an id to tell runs apart by eye."""
    return run_id[:4]


def strip(lab: Lab, *, trains: bool = True) -> None:
    """Data, network, training, run, and the buttons; without Train where a page has a button of its own for it."""
    with st.container(key="strip"):
        st.fragment(guarded(_strip), key="strip")(lab, trains)


def _strip(lab: Lab, trains: bool) -> None:
    experiment = state.experiment()
    run = _run(lab)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key="strip_chips", width="stretch"
        ):
            _chip(f"{type(experiment.data).label} · {_examples(lab, experiment)}", "database")
            _chip(_network(lab, experiment), "layers")
            _chip(_training(experiment), "trending_down")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            _run_and_buttons(lab, run, trains)
    if problem := state.problem(state.TRAIN):
        st.error(problem, icon=":material/error:")


def _run_and_buttons(lab: Lab, run: Run | None, trains: bool) -> None:
    if run is not None:
        st.caption(f"run {short_id(run.id)}", width="content")
        with st.container(width="content"):
            is_over = run.status.is_over
            pace = None if is_over else state.pace(PACE)
            st.fragment(guarded(_badge), run_every=pace, key="strip_badge")(lab, run.id, is_over)
    can_stop = run is not None and not run.status.is_over and not run.controls.stop and state.may_control(run)
    if trains and st.button("Train", type="primary", icon=":material/play_arrow:", key="train"):
        _train(lab)
    st.button("Stop", icon=":material/stop:", key="stop", disabled=not can_stop, on_click=_stop, args=(lab,))


def _badge(lab: Lab, run_id: str, was_over: bool) -> None:
    run = lab.run(run_id)
    status_badge(run)
    if run.status.is_over and not was_over:
        st.rerun()  # there is nothing to stop any more, and the page may have more to show


def _chip(label: str, icon: str) -> None:
    st.page_link(navigation.BUILD.page(), label=label, icon=f":material/{icon}:", query_params=state.address())


def _run(lab: Lab) -> Run | None:
    run_id = state.run_id()
    return lab.run(run_id) if run_id else None


def _examples(lab: Lab, experiment: Experiment) -> str:
    try:
        facts = lab.facts(experiment.data)
    except PlaygroundError:
        return "split too small"
    return f"{facts.train + (facts.validation if experiment.data.validate_on == 'validation' else 0):,}"


def _network(lab: Lab, experiment: Experiment) -> str:
    layers = len(experiment.model.layers)
    try:
        description = lab.describe(experiment)
    except PlaygroundError:
        description = Description()
    if not description.rows or description.error:
        return words.plural(layers, "layer")
    picture = StackPicture.from_description(lab.facts(experiment.data).input_shape, description)
    return f"{picture.line()} · {description.parameters:,} parameters"


def _training(experiment: Experiment) -> str:
    training = experiment.training
    batch = "full batch" if training.batch_size == "full" else f"batches of {training.batch_size}"
    return f"{training.optimizer.kind} {training.optimizer.learning_rate:g} · {batch} · {training.epochs:,} epochs"


def _train(lab: Lab) -> None:
    try:
        state.launch(lab)
    except PlaygroundError as error:
        state.complain(state.TRAIN, str(error))
        return
    state.complain(state.TRAIN, "")
    st.switch_page(navigation.BUILD.page(), query_params=state.address())


def _stop(lab: Lab) -> None:
    run_id = state.run_id()
    if run_id:
        lab.stop(run_id)
