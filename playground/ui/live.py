"""A run as it happens. The same places hold placeholders before there is a run: the layout never jumps."""

import time

import streamlit as st

from playground.displays import words
from playground.displays.curves import LearningCurves
from playground.errors import PlaygroundError
from playground.lab import Lab, Watch
from playground.records import Run, RunStatus
from playground.spec import Experiment
from playground.ui import figure, navigation, state
from playground.ui.errors import guarded, show_error

BEFORE_FIRST_POINT, WHILE_LIVE = 0.15, 1.0
"""Seconds between two looks: short until something moves, then no faster than people read."""
IMPATIENT = 10.0
"""Seconds after the press for which the short pace lasts: a run in a long queue is not waited for at every blink."""
SETTLING = 2.0
"""Seconds after the press in which the page is not redrawn as a whole: the browser has the first points to draw."""
NO_CURVES = LearningCurves.from_points(())


def live_view(lab: Lab, run_id: str | None) -> None:
    """The run, refreshing itself while it lives; or the empty places for one."""
    watch = lab.watch(run_id) if run_id else None
    every = None
    if watch is not None and not watch.run.status.is_over:
        # An engine that is starting needs the processor more than the page does.
        every = BEFORE_FIRST_POINT if _is_awaited(watch) and lab.engine_status().state == "ready" else WHILE_LIVE
    st.fragment(guarded(_live), run_every=every, key="live")(lab, run_id, _phase(watch))


def _phase(watch: Watch | None) -> object:
    """What the rest of the page (buttons, strip, pace of refreshing) depends on."""
    if watch is None:
        return None
    run = watch.run
    if not run.status.is_over and time.time() - run.created < SETTLING:
        return run.attempt
    return run.status, watch.curves.is_empty, _is_awaited(watch), run.attempt


def _is_awaited(watch: Watch) -> bool:
    """Whether somebody pressed Train just now and sees nothing yet."""
    return watch.curves.is_empty and time.time() - watch.run.created < IMPATIENT


def _live(lab: Lab, run_id: str | None, drawn_phase: object) -> None:
    watch = lab.watch(run_id) if run_id else None
    experiment = watch.run.experiment if watch else state.experiment()
    curves = watch.curves if watch else NO_CURVES
    score = next(iter(experiment.training.metrics), None)
    numbers(experiment, watch, score)
    progress(watch)
    if watch and watch.run.status.is_over:
        _afterwards(lab, watch.run)
    left, right = st.columns(2)
    with left:
        figure.show(curves.plot("loss"), key="live_loss")
    with right:
        if score:
            figure.show(curves.plot(score), key="live_score")
        else:
            st.caption("Choose a metric under Training to see its curve here.")
    if experiment.data.family == "points":
        _surface(lab, experiment, watch)
    if watch and watch.run.status.is_over:
        _details(watch.run)
    if _phase(watch) != drawn_phase:
        # The buttons and the pace change with the state; what is new stands here already, before they follow.
        st.rerun()


def numbers(experiment: Experiment, watch: Watch | None, score: str | None) -> None:
    """Epoch, loss, score and speed; dashes before there is a run."""
    epoch = loss = value = speed = "–"
    if watch is not None:
        now = watch.run.progress
        train_loss, _ = watch.curves.last("loss")
        epoch = f"{int(now.epoch):,} / {_epochs(watch.run):,}"
        loss = words.score(train_loss)
        speed = words.short_count(now.examples_per_second) if now.examples_per_second else "–"
        if score:
            train_score, held_out = watch.curves.last(score)
            value = words.score(held_out if held_out is not None else train_score, share=score in words.SHARES)
    name = words.metric_name(score) if score else "Score"
    with st.container(horizontal=True, gap="small", key="numbers"):
        st.metric("Epoch", epoch)
        st.metric("Training loss", loss)
        st.metric(name, value, help="On the validation examples as soon as there is a value, else in training.")
        st.metric("Examples/s", speed, help="Training examples per second, over the last few seconds.")


def _epochs(run: Run) -> int:
    """How many epochs the run will have seen at its end: with those of the base that it goes on from."""
    now = run.progress
    return round(now.total_steps * now.epoch / now.step) if now.step else run.experiment.training.epochs


def progress(watch: Watch | None, press: str = "Train") -> None:
    """How far a run is, and what it does or how it ended; before there is one, which button to press."""
    if watch is None:
        st.progress(0.0, f"Press {press}: the curves grow here.")
        return
    run, now = watch.run, watch.run.progress
    share = min(now.step / now.total_steps, 1.0) if now.total_steps else 0.0
    st.progress(share, _says(watch, run))


def _says(watch: Watch, run: Run) -> str:
    progress = run.progress
    epoch = f"epoch {int(progress.epoch):,} of {_epochs(run):,}"
    if run.status is RunStatus.QUEUED:
        place = f"Number {watch.position} in the queue." if watch.position else "Waiting to go on."
        return f"{place} {run.message}".strip()
    if run.status.is_live:
        left = f", {words.duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
        verb = "Paused" if run.status is RunStatus.PAUSED else (progress.phase or "starting").capitalize()
        stopping = ", stopping" if run.controls.stop else ""
        return f"{verb}: {epoch}{left}{stopping}."
    took = f" Took {words.duration(run.ended - run.started)}." if run.ended and run.started else ""
    said = _ENDED[run.status].format(epoch=epoch)
    if run.message.startswith(said.split()[0]):
        said = ""  # the message says it itself
    return f"{said} {run.message}{took}".strip()


_ENDED = {
    RunStatus.DONE: "Done.",
    RunStatus.STOPPED: "Stopped at {epoch}.",
    RunStatus.FAILED: "Failed at {epoch}.",
    RunStatus.INTERRUPTED: "Interrupted at {epoch}.",
}
"""How a run ended; its message, where it has one, says why."""


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
    except PlaygroundError as error:
        state.complain(state.TRAIN, str(error))
    st.rerun()


def _surface(lab: Lab, experiment: Experiment, watch: Watch | None) -> None:
    st.markdown("##### Decision surface")
    try:
        surface = lab.surface(experiment, watch)
    except PlaygroundError as error:
        show_error(error)
        return
    figure.show_surface(surface, key="live_surface")


def _details(run: Run) -> None:
    """What happened, folded away."""
    seconds = run.facts.get("seconds")
    plan = ", ".join(f"{variant} from step {step:,}" for step, variant in run.plan)
    lines = {
        "Run": run.id,
        "Seed": run.experiment.seed,
        "Execution": plan or run.experiment.training.execution,
        "Scores": ", ".join(f"{words.metric_name(name)} {words.score(value)}" for name, value in run.scores.items()),
        **{name.capitalize(): value for name, value in run.facts.items() if not isinstance(value, dict)},
    }
    if isinstance(seconds, dict):
        lines["Time"] = ", ".join(f"{name} {words.duration(value)}" for name, value in seconds.items())
    with st.expander("Details", icon=":material/receipt_long:"):
        st.table({name: str(value) for name, value in lines.items() if value not in ("", None)})
