"""The learning rate over a training: its schedule with a preview, reductions on plateau, and the search for a rate."""

import functools
import math
from typing import Any

import streamlit as st

from playground.displays import words
from playground.displays.rate_finder import rate_figure
from playground.displays.schedules import RateCurve
from playground.errors import NotFound, PlaygroundError, SpecError
from playground.lab import Lab, edits
from playground.lab.finding import is_of
from playground.records import Run
from playground.spec import SCHEDULES, DataFacts, Experiment, ReduceOnPlateau, changed, check_schedule, scores_for
from playground.spec.schedules import Constant
from playground.ui import figure, state
from playground.ui.errors import guarded
from playground.ui.spec_form import folded, spec_form

KINDS: dict[str, Any] = {schedule.model_fields["kind"].default: schedule for schedule in SCHEDULES}
SEARCH = "rate_search"
"""Under this name a session keeps the run of its search, and says what stands against one."""
WHILE_LIVE = 0.3
"""Seconds between two looks at a search: it lasts for a few seconds."""


def schedule_section(lab: Lab, facts: DataFacts, redraws: tuple[str, ...]) -> None:
    """How the learning rate changes, drawn before training.

    Args:
        lab: keeps the draft.
        facts: of the data.
        redraws: the fragments that show what is changed here.
    """
    experiment = state.experiment()
    schedule = experiment.training.schedule
    key = state.widget_key("training", "schedule")

    def choose() -> None:
        kind = state.widget_value(key)
        state.edit(lab, lambda experiment: edits.with_schedule_kind(experiment, kind))
        st.rerun(redraws)

    kinds = list(KINDS) if schedule.kind in KINDS else [schedule.kind, *KINDS]
    st.selectbox(
        "Schedule", kinds, index=kinds.index(schedule.kind), key=key, on_change=choose, help=type(schedule).help,
        format_func=lambda kind: KINDS[kind].label if kind in KINDS else type(schedule).label,
    )  # fmt: skip
    spec_form(schedule, functools.partial(_change_schedule, lab), "schedule", redraws=redraws)
    _preview(experiment, facts)
    folded("Reduce on plateau", "plateau", functools.partial(_plateau, lab, facts, redraws))
    run = _search_of(lab, experiment)
    every = WHILE_LIVE if run is not None and not run.status.is_over else None
    st.fragment(guarded(_search), run_every=every, key="rate_search")(lab, every is not None)


def _preview(experiment: Experiment, facts: DataFacts) -> None:
    """The curve, also of a schedule that is refused, and why it is."""
    training = experiment.training
    batch_size = facts.train if training.batch_size == "full" else training.batch_size
    curve = RateCurve.from_training(training, math.ceil(facts.train / batch_size))
    if training.schedule != Constant():  # a level line says less than the number above it
        figure.show(curve.plot(), key="schedule_preview", title=False)
    try:
        check_schedule(experiment, facts)
    except SpecError as error:
        st.markdown(f":red[:material/error: {error}]")


def _change_schedule(lab: Lab, name: str, value: Any) -> None:
    def change(experiment: Experiment) -> Experiment:
        return edits.with_training(experiment, schedule=changed(experiment.training.schedule, **{name: value}))

    state.edit(lab, change)


def _plateau(lab: Lab, facts: DataFacts, redraws: tuple[str, ...]) -> None:
    experiment = state.experiment()
    plateau, scores = experiment.training.reduce_on_plateau, scores_for(experiment, facts)
    key = state.widget_key("training", "reduce_on_plateau")

    def switch() -> None:
        asked = ReduceOnPlateau(monitor=scores[0]) if state.widget_value(key) else None  # type: ignore[arg-type]
        state.edit(lab, lambda experiment: edits.with_training(experiment, reduce_on_plateau=asked))
        st.rerun(redraws)

    st.toggle("Reduce on plateau", plateau is not None, key=key, help=ReduceOnPlateau.help, on_change=switch)
    if plateau is None:
        return
    monitor = state.widget_key("training", "plateau_monitor", *scores)
    known = scores if plateau.monitor in scores else [plateau.monitor, *scores]

    def watch() -> None:
        _change_plateau(lab, "monitor", state.widget_value(monitor))
        st.rerun(redraws)

    st.selectbox(
        "Monitor", known, index=known.index(plateau.monitor), format_func=words.metric_name, key=monitor,
        help="The score that has to get better.", on_change=watch,
    )  # fmt: skip
    fields = ("factor", "patience", "min_delta", "cooldown", "min_lr")
    spec_form(plateau, functools.partial(_change_plateau, lab), "plateau", only=fields, redraws=redraws)


def _change_plateau(lab: Lab, name: str, value: Any) -> None:
    def change(experiment: Experiment) -> Experiment:
        asked = experiment.training.reduce_on_plateau or ReduceOnPlateau()
        return edits.with_training(experiment, reduce_on_plateau=changed(asked, **{name: value}))

    state.edit(lab, change)


# The search for a learning rate


def _search_of(lab: Lab, experiment: Experiment) -> Run | None:
    """This tab's search, as long as it says something about the experiment."""
    run_id = state.kept(SEARCH)
    if run_id is None:
        return None
    try:
        run = lab.run(run_id)
    except NotFound:  # deleted in the list of runs
        return None
    return run if is_of(run, experiment) else None


def _search(lab: Lab, was_live: bool) -> None:
    experiment = state.experiment()
    run = _search_of(lab, experiment)
    is_live = run is not None and not run.status.is_over
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Find rate", icon=":material/troubleshoot:", key="find_rate", on_click=_start, args=(lab,),
            disabled=is_live, help="Raises the learning rate step by step, in a run of its own on new weights, and "
            "suggests the rate at which the loss falls most steeply (Smith, 2015).",
        )  # fmt: skip
        if is_live and run is not None:
            st.button("Stop search", key="stop_search", type="tertiary", on_click=lab.stop, args=(run.id,))
    if problem := state.problem(SEARCH):
        st.markdown(f":red[:material/error: {problem}]")
    if run is not None and is_live:
        _progress(run)
    elif run is not None:
        _found(lab, run)
    if is_live != was_live:
        st.rerun()  # the pace of looking changes with it


def _start(lab: Lab) -> None:
    try:
        run = lab.finding.start(state.experiment(), owner=state.owner(), draft=state.draft_id())
    except PlaygroundError as error:
        state.complain(SEARCH, str(error))
    else:
        state.complain(SEARCH, "")
        state.keep(SEARCH, run.id)
    st.rerun("training")


def _progress(run: Run) -> None:
    now, steps = run.progress, run.experiment.training.schedule.steps  # type: ignore[union-attr]
    says = "Waiting for its turn." if not now.step else f"Step {now.step} of {steps}."
    st.progress(min(now.step / steps, 1.0), says)


def _found(lab: Lab, run: Run) -> None:
    found = lab.finding.result(run.id)
    if found is None or not len(found.rates):
        st.caption(f"The search ended without a result. {run.message}")
        return
    figure.show(rate_figure(found), key="rate_search_figure")
    if found.suggestion is None:
        return
    in_use = math.isclose(state.experiment().training.optimizer.learning_rate, found.suggestion)
    st.button(
        f"Use {found.suggestion:g}", icon=":material/check:", key="use_rate", disabled=in_use, on_click=_use,
        args=(lab, found.suggestion), help="Puts it into the optimizer." if not in_use else "It is in use.",
    )  # fmt: skip


def _use(lab: Lab, learning_rate: float) -> None:
    state.edit(lab, lambda experiment: edits.with_learning_rate(experiment, learning_rate), redraw=True)
    st.rerun()
