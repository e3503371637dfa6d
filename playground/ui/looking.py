"""What all pages that look into a network have on top: whose weights, of which epoch."""

import streamlit as st

from playground.lab import Lab
from playground.records import Run
from playground.spec.saved import Saved
from playground.ui import navigation, state
from playground.ui.cards import run_name
from playground.ui.strip import short_id

MANY = 100


def choose_weights(lab: Lab, *, what: str) -> tuple[Run, Saved] | None:
    """The run that is watched, or another, and one of its kept epochs; None where there is none yet.

    Args:
        lab: knows the runs.
        what: what the page shows once there is a run, such as "Every layer's output", for the empty page.
    """
    run = _choose_run(lab, what)
    if run is None:
        return None
    kept = lab.kept_epochs(run.id)
    if not kept:
        st.info("This run has kept no weights yet. They are there after its first epoch.", icon=":material/schedule:")
        return None
    newest = "newest"
    epoch = st.select_slider(
        "After epoch", [*kept, newest], newest, key=f"looking.epoch.{run.id}",
        help="Weights are kept at the start, after some epochs spread over the run, and at its end.",
    )  # fmt: skip
    return run, Saved(run=run.id, epoch=None if epoch == newest else int(epoch))


def _choose_run(lab: Lab, what: str) -> Run | None:
    """The run to look into; the choice is the run that all pages watch."""
    runs = [run for run in lab.runs(limit=MANY) if run.progress.step or run.status.is_over]
    watched = state.run_id()
    if watched and watched not in [run.id for run in runs]:
        runs.insert(0, lab.run(watched))
    if not runs:
        st.markdown("### Nothing to look into yet")
        st.markdown(f"{what} stands here as soon as a network has trained.")
        st.page_link(navigation.BUILD.page(), label="Train a network", icon=":material/play_arrow:", query_params={})
        return None
    names = {run.id: f"{run_name(run)} · {short_id(run.id)} · {run.status}" for run in runs}
    ids = list(names)
    key = state.widget_key("looking", "run")
    chosen = st.selectbox(
        "Run", ids, index=ids.index(watched) if watched else 0, format_func=names.__getitem__, key=key,
        help="Also a run that is still training: its newest weights are looked into.",
        on_change=lambda: state.watch(state.widget_value(key)),
    )  # fmt: skip
    return next(run for run in runs if run.id == chosen)
