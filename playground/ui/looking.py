"""What all pages that look into a network have on top: whose weights, of which epoch."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from playground.displays import words
from playground.lab import Lab
from playground.lab.finding import is_search
from playground.records import Run
from playground.spec import Experiment
from playground.spec.saved import Saved
from playground.ui import navigation, state
from playground.ui.cards import run_name
from playground.ui.strip import short_id

MANY = 100
NEWEST = "newest"
"""Stands for the newest weights in a list of kept epochs."""


@dataclass(frozen=True)
class Looked:
    """Weights that are looked into."""

    saved: Saved
    experiment: Experiment
    run: Run | None
    """Whose they are; None for a model of the library."""

    @property
    def id(self) -> str:
        """Of the run or the model, for the keys of widgets."""
        return self.saved.run or self.saved.model

    @property
    def is_live(self) -> bool:
        """Whether they are others after a while: the newest ones of a run that trains."""
        return self.run is not None and not self.run.status.is_over and self.saved.epoch is None


def choose_weights(lab: Lab, *, what: str) -> Looked | None:
    """A run and one of its kept epochs, or a model of the library; None where there is none yet.

    Args:
        lab: knows them.
        what: what the page shows once there is one, such as "Every layer's output", for the empty page.
    """
    runs = [run for run in lab.runs(limit=MANY) if run.progress.step or run.status.is_over]
    runs = [run for run in runs if not is_search(run)]
    watched = state.run_id()
    if watched and watched not in [run.id for run in runs]:
        runs.insert(0, lab.run(watched))
    uploads = {card.id: card for card in lab.library.uploads()}
    names = {run.id: f"{run_name(run)} · {short_id(run.id)}" for run in runs}
    names |= {id: f"{card.name} · {short_id(id)} · from a file" for id, card in uploads.items()}
    if not names:
        _nothing_yet(what)
        return None
    chosen = _choose(names, uploads, state.model_id() or watched)
    if chosen in uploads:
        return Looked(Saved(model=chosen), uploads[chosen].experiment, None)
    run = next(run for run in runs if run.id == chosen)
    saved = _choose_epoch(lab, run)
    return Looked(saved, run.experiment, run) if saved else None


def _nothing_yet(what: str) -> None:
    st.markdown("### Nothing to look into yet")
    st.markdown(f"{what} stands here as soon as a network has trained.")
    st.page_link(navigation.BUILD.page(), label="Train a network", icon=":material/play_arrow:", query_params={})


def _choose(names: Mapping[str, str], uploads: Container[str], looked_at: str | None) -> str:
    """What is looked into is what all pages watch."""
    ids = list(names)
    key = state.widget_key("looking", "network")

    def look() -> None:
        if chosen := state.widget_choice(key, names):
            (state.look_at if chosen in uploads else state.watch)(chosen)

    chosen: str = st.selectbox(
        "Network", ids, index=ids.index(looked_at) if looked_at in ids else 0, format_func=names.__getitem__, key=key,
        help="Also a run that is still training: its newest weights are looked into.", on_change=look,
    )  # fmt: skip
    return chosen


def _choose_epoch(lab: Lab, run: Run) -> Saved | None:
    """Kept weights of a run; None where there are none yet."""
    kept = lab.kept_epochs(run.id)
    if not kept:
        st.info("This run has kept no weights yet. They are there after its first epoch.", icon=":material/schedule:")
        return None
    epoch = kept_slider(run, kept, NEWEST, f"looking.epoch.{run.id}")
    return Saved(run=run.id, epoch=None if epoch == NEWEST else epoch)


def kept_slider(
    run: Run, kept: Sequence[int], shown: int | str, key: str, on_change: Callable[[], None] | None = None
) -> int | str:
    """Choose one of a run's kept epochs, or ``NEWEST``."""
    # The best epoch may move while a run lives; a choice goes by its own label, which has to stay as it is.
    epoch: int | str = st.select_slider(
        words.epochs_label("After epoch", kept, run.best_epoch), [*kept, NEWEST], shown, key=key, on_change=on_change,
        help="Weights are kept at the start, after some epochs spread over the run, at its end, and of its best epoch.",
    )  # fmt: skip
    return epoch
