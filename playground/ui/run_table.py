"""The table of runs and what can be done with the chosen ones."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from playground.displays import words
from playground.displays.curves import thin
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.records import Run, RunStatus
from playground.ui import navigation, state
from playground.ui.cards import main_score, run_name
from playground.ui.errors import show_error
from playground.ui.strip import short_id

SHOWN = 200
CURVE_POINTS = 40


def choose_runs(lab: Lab) -> list[Run]:
    """The runs that pass the filters, newest first."""
    everything = lab.runs(limit=SHOWN)
    if not everything:
        st.markdown("Every training stands here, with its curve and its scores.")
        st.page_link(navigation.BUILD.page(), label="Train a network", icon=":material/play_arrow:", query_params={})
        return []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.pills(
            "State", list(RunStatus), selection_mode="multi", key="runs_status", label_visibility="collapsed",
            format_func=lambda status: status.value,
        )  # fmt: skip
        words_wanted = st.text_input(
            "Search", key="runs_search", placeholder="Name or data set", label_visibility="collapsed", width=220
        )
        mine = st.toggle("Only mine", key="runs_mine", help="Runs that were started in this browser.")
    chosen = [
        run
        for run in everything
        if (not wanted or run.status in wanted)
        and (not mine or run.owner == state.owner())
        and words_wanted.lower() in f"{run_name(run)} {type(run.experiment.data).label} {run.id}".lower()
    ]
    if not chosen:
        st.caption("No run passes these filters.")
    return chosen


def run_table(lab: Lab, runs: Sequence[Run]) -> list[Run]:
    """The table; gives the rows that are chosen."""
    frame = pd.DataFrame([_row(lab, run) for run in runs])
    chosen = st.dataframe(
        frame,
        key="runs_table",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height="content" if len(runs) <= 15 else 560,
        alt=f"Table of {len(runs)} runs",
        column_config={
            "Loss": st.column_config.LineChartColumn("Loss", width="small"),
            "Started": st.column_config.DatetimeColumn("Started", format="distance"),
            "Parameters": st.column_config.NumberColumn("Parameters", format="localized"),
        },
    )
    return [runs[index] for index in chosen.selection.rows if index < len(runs)]


def _row(lab: Lab, run: Run) -> dict[str, object]:
    known = main_score(run)
    score = ""
    if known:
        name, value = known
        shown = words.score(value, share=name.removeprefix("test_") in words.SHARES)
        score = f"{words.metric_name(name).lower()} {shown}"
    return {
        "Run": short_id(run.id),
        "Name": run_name(run),
        "State": run.status.value,
        "Data": type(run.experiment.data).label,
        "Epochs": f"{run.progress.epoch:,.0f} / {run.experiment.training.epochs:,}",
        "Loss": _losses(lab, run),
        "Score": score,
        "Parameters": run.facts.get("parameters"),
        "Time": words.duration(run.ended - run.started) if run.started and run.ended else "–",
        "Started": datetime.fromtimestamp(run.created, UTC),
    }


def _losses(lab: Lab, run: Run) -> list[float]:
    curves = lab.curves(run.id)
    epochs, values = curves.train.get("loss") or curves.live.get("loss") or (None, None)
    return [] if epochs is None or values is None else thin(epochs, values, CURVE_POINTS)[1].tolist()


def run_actions(lab: Lab, chosen: Sequence[Run]) -> None:
    """Buttons for the chosen rows."""
    if not chosen:
        st.caption("Choose a row to open, judge, repeat or delete it; several to delete them together.")
        return
    one = chosen[0] if len(chosen) == 1 else None
    with st.container(horizontal=True):
        if one is not None:
            address = {"run": one.id}
            st.page_link(navigation.BUILD.page(), label="Open", icon=":material/open_in_new:", query_params=address)
            if one.scores:
                st.page_link(
                    navigation.EVALUATE.page(), label="Evaluate", icon=":material/fact_check:", query_params=address
                )
            if st.button("Start again", icon=":material/replay:", help="The same experiment as a new run."):
                _start_again(lab, one)
            if one.status.is_over and one.status is not RunStatus.DONE and state.may_control(one):
                st.button("Resume", icon=":material/resume:", on_click=_resume, args=(lab, one))
        deletable = [run for run in chosen if run.status.is_over and state.may_control(run)]
        label = "Delete" if one else f"Delete {len(deletable)} runs"
        if st.button(label, icon=":material/delete:", disabled=not deletable):
            _confirm(lab, deletable)
    if len(deletable) < len(chosen):
        st.caption("Runs that are queued or running, and those of others, cannot be deleted.")


def _start_again(lab: Lab, run: Run) -> None:
    state.start(lab, run.experiment)
    state.launch(lab)
    st.switch_page(navigation.BUILD.page(), query_params=state.address())


def _resume(lab: Lab, run: Run) -> None:
    try:
        lab.resume(run.id)
    except PlaygroundError as error:
        show_error(error)


@st.dialog("Delete for good?")
def _confirm(lab: Lab, runs: Sequence[Run]) -> None:
    names = ", ".join(f"{words.plain(run_name(run))} {short_id(run.id)}" for run in runs[:5])
    more = f" and {len(runs) - 5} more" if len(runs) > 5 else ""
    st.markdown(f"{names}{more}: curve, scores and weights will be gone.")
    with st.container(horizontal=True):
        st.button(
            "Delete", type="primary", key="confirm_delete", icon=":material/delete:", on_click=_delete, args=(lab, runs)
        )
        if st.button("Keep", key="keep_runs"):
            st.rerun()


def _delete(lab: Lab, runs: Sequence[Run]) -> None:
    for run in runs:
        lab.delete(run.id)
    st.rerun()
