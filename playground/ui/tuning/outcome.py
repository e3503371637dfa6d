"""What came of fine-tuning: the run as it happens, then before and after side by side and the answer in words."""

from collections.abc import Mapping, Sequence

import streamlit as st

from playground.displays import words
from playground.displays.curves import LearningCurves
from playground.displays.tuning import BeforeAfter, TuningCurves, WeightChanges
from playground.errors import PlaygroundError
from playground.evaluation import Comparison
from playground.lab import Lab
from playground.lab.outcomes import Family, marks
from playground.records import Run
from playground.spec import Experiment
from playground.spec.start import EvaluateOnly, FromScratch, TuningPlan
from playground.ui import figure, navigation, state
from playground.ui.errors import guarded
from playground.ui.progress import NO_CURVES, numbers, progress
from playground.ui.strip import short_id, status_badge

VERDICTS = {
    True: ":green[:material/trending_up:]",
    False: ":orange[:material/trending_down:]",
    None: ":gray[:material/trending_flat:]",
}
"""The sign before an answer: better, worse, or not to be told."""
PACE = 1.0
"""Seconds between two looks at a run that trains."""


def is_shown(lab: Lab) -> bool:
    """Whether the run that is watched starts from a base."""
    return _watched(lab) is not None


def _watched(lab: Lab) -> Run | None:
    run_id = state.run_id()
    run = lab.run(run_id) if run_id else None
    return run if run and run.experiment.start else None


def outcome(lab: Lab) -> None:
    """The run that is watched, where it starts from a base; else the place where it will be."""
    run = _watched(lab)
    if run is None:
        _placeholder()
        return
    family = lab.outcomes.family(run)
    pace = state.pace(PACE) if family.waiting else None
    st.fragment(guarded(_live), run_every=pace, key="tuning_live")(lab, family)
    if run.status.is_over:
        guarded(_before_and_after)(lab, family)


def _placeholder() -> None:
    progress(None, "Fine-tune")
    figure.show(NO_CURVES.plot("loss"), key="tuning_loss")
    st.markdown("##### Before and after")
    st.caption(
        "Here stands what it was worth: the new task before and after, what is left of the old one, the same network "
        "trained from scratch, and what changed in the weights."
    )


def _phase(family: Family) -> object:
    """What the rest of the page depends on."""
    return family.run.status.is_over, family.waiting


def _live(lab: Lab, drawn: Family) -> None:
    watch, family = lab.watch(drawn.run.id), lab.outcomes.renewed(drawn)
    experiment = watch.run.experiment
    score = _score(experiment)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"##### {_plan(watch.run).label}", width="content")
        st.caption(f"run {short_id(watch.run.id)}", width="content")
        status_badge(watch.run)
        st.button(
            "Stop", icon=":material/stop:", key="tuning_stop", on_click=_stop, args=(lab, family),
            disabled=not family.waiting or not state.may_control(watch.run),
            help="Ends this run and those that wait behind it; what they have learned is kept.",
        )  # fmt: skip
    numbers(watch, score)
    progress(watch)
    if watch.run.status.is_over and family.waiting:
        st.caption(_waiting(family))
    figure.show(watch.curves.plot(score or "loss", marks(experiment)), key="tuning_curve")
    if _phase(family) != _phase(drawn):
        st.rerun()


def _waiting(family: Family) -> str:
    runs = [*family.seeds, *family.controls]
    over = len(runs) - family.waiting
    return f":material/hourglass_top: {over} of {len(runs)} runs are over; the answer grows surer with each."


def _stop(lab: Lab, family: Family) -> None:
    # The last one first: a run that ends would let the next one begin.
    for run in sorted((*family.seeds, *family.controls), key=lambda run: run.created, reverse=True):
        if not run.status.is_over:
            lab.stop(run.id)


def _before_and_after(lab: Lab, family: Family) -> None:
    run = family.run
    if not run.scores:
        st.caption("This run ended before it could be judged. Press Fine-tune to train again.")
        return
    metric = _score(run.experiment) or "loss"
    scores = lab.outcomes.scores(family, metric)
    st.markdown("#### Before and after")
    _answer(lab, family)
    _forgetting(scores.get("Old task", {}), metric)
    if run.facts.get("may_have_seen"):
        st.caption(
            "The base model was trained on another split of the same data: some of these test examples may be among "
            "those it has seen, so its scores are too good."
        )
    figure.show(BeforeAfter(metric, scores).plot(), key="before_after")
    if family.controls:
        _race(lab, family, metric)
    if not isinstance(_plan(run), EvaluateOnly):
        _changes(run)
    _others(family, metric)
    _links(run)


def _answer(lab: Lab, family: Family) -> None:
    """Did it help, by how much, how sure."""
    plan = _plan(family.run)
    if isinstance(plan, EvaluateOnly):
        return
    answer = lab.outcomes.answer(family)
    who = "Training from scratch" if isinstance(plan, FromScratch) else "Fine-tuning"
    if answer.before is not None:
        _say(answer.before, who, _as_it_was(family.run))
    if answer.scratch is not None:
        _say(answer.scratch, who, "training from scratch at the same budget")
    elif not family.controls and not isinstance(plan, FromScratch):
        st.caption("Trained without a control from scratch: nobody knows whether new weights would have done as well.")


def _as_it_was(run: Run) -> str:
    if not _plan(run).takes_weights:
        return "the network before its first step"
    return "the base model with a new output layer" if run.facts.get("head") == "replaced" else "the base model"


def _say(comparison: Comparison, after: str, before: str) -> None:
    verdict, colon, rest = comparison.sentence(after, before).partition(":")
    st.markdown(f"{VERDICTS[comparison.helped]} **{verdict}**{colon}{rest}")


def _forgetting(old: Mapping[str, Sequence[float]], metric: str) -> None:
    """What is left of the old task; nothing where there is none beside the new one."""
    if not old.get("before") or not old.get("fine-tuned"):
        return
    before, after = (sum(old[who]) / len(old[who]) for who in ("before", "fine-tuned"))
    share = metric in words.SHARES
    name = f"test {words.metric_name(metric).lower()}"
    values = f"{words.score(before, share=share)} before, {words.score(after, share=share)} after"
    if after == before:
        verdict = "The old task is kept as it was"
    elif (after < before) == (share or metric == "r2_score"):
        verdict = "The old task is partly forgotten"
    else:
        verdict = "The old task is not forgotten"
    st.markdown(f":gray[:material/history:] **{verdict}**: {name} {values}.")


def _changes(run: Run) -> None:
    changed = run.facts.get("weights_changed")
    if not isinstance(changed, list) or not changed:
        st.caption("This run does not say how far its weights moved.")
        return
    names = [str(row["layer"]) for row in changed]
    moved = [float("nan") if row["relative"] is None else float(row["relative"]) for row in changed]
    figure.show(WeightChanges(names, moved).plot(), key="weight_changes")


def _race(lab: Lab, family: Family, metric: str) -> None:
    def curves(runs: tuple[Run, ...]) -> list[LearningCurves]:
        return [lab.curves(run.id) for run in runs]

    figure.show(TuningCurves(metric, curves(family.seeds), curves(family.controls)).plot(), key="tuning_race")


def _others(family: Family, metric: str) -> None:
    """Other plans for the same base and data, to switch to."""
    if not family.others:
        return
    st.markdown("##### Other plans for the same task")
    for other in family.others:
        value = other.scores.get(f"test_{metric}")
        score = f" · test {words.metric_name(metric).lower()} {words.score(value, share=metric in words.SHARES)}"
        st.page_link(
            navigation.FINE_TUNE.page(), label=f"{_plan(other).label}{score if value is not None else ''}",
            icon=":material/model_training:", query_params={"run": other.id},
        )  # fmt: skip


def _links(run: Run) -> None:
    with st.container(horizontal=True, gap="small"):
        for place in (navigation.EVALUATE, navigation.ACTIVATIONS, navigation.TRY):
            st.page_link(place.page(), label=place.title, icon=place.icon, query_params={"run": run.id})


def _score(experiment: Experiment) -> str | None:
    return next(iter(experiment.training.metrics), None)


def _plan(run: Run) -> TuningPlan:
    if run.experiment.start is None:
        raise PlaygroundError("This run starts from no saved weights. Choose one that does.")
    return run.experiment.start.plan
