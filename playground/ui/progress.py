"""How far a run is, in Streamlit's own elements: for pages that refresh a run about once a second."""

import streamlit as st

from playground.displays import words
from playground.displays.curves import LearningCurves
from playground.displays.frames import epochs_in_all, progress_in_words
from playground.lab import Watch

NO_CURVES = LearningCurves.from_points(())


def numbers(watch: Watch | None, score: str | None) -> None:
    """Epoch, loss, score and speed; dashes before there is a run."""
    epoch = loss = value = speed = "–"
    if watch is not None:
        now = watch.run.progress
        train_loss, _ = watch.curves.last("loss")
        epoch = f"{int(now.epoch):,} / {epochs_in_all(watch.run):,}"
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


def progress(watch: Watch | None, press: str = "Train") -> None:
    """How far a run is, and what it does or how it ended; before there is one, which button to press."""
    if watch is None:
        st.progress(0.0, hint(press))
        return
    now = watch.run.progress
    share = min(now.step / now.total_steps, 1.0) if now.total_steps else 0.0
    st.progress(share, progress_in_words(watch.run, watch.position))


def hint(press: str = "Train") -> str:
    """What to do where there is no run yet."""
    return f"Press {press}: the curves grow here."
