"""Cards on the first page: ways to begin, recipes, recent runs."""

import base64
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape

import streamlit as st

from playground.displays import words
from playground.displays.thumbnail import sparkline
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.lab.play import PLAY
from playground.recipes import RECIPES, SECTIONS, Recipe, recipe
from playground.records import Run
from playground.spec import Experiment, Model
from playground.spec.data import Moons
from playground.spec.layers import Dense
from playground.spec.saved import Saved
from playground.ui import navigation, state
from playground.ui.errors import show_error
from playground.ui.pictures import picture
from playground.ui.play.commands import obey
from playground.ui.strip import status_badge

CARD = 235
"""Least width of a card in pixels."""


def ways_to_begin(lab: Lab) -> None:
    """Three large cards."""
    blank = Experiment(name="My own network", data=Moons(), model=Model(layers=(Dense(units=8),)))
    digits = recipe("mnist-mlp-128").experiment
    with st.grid("auto", min_column_width=290, key="begin"):
        with _way("spirals", "Play with a network now", "Two spirals: the border between them bends while you watch."):
            if st.button("Play", key="begin_play", type="primary", icon=":material/play_arrow:", width="stretch"):
                _play(lab)
        with _way("mnist", "Train on real digits", "70,000 handwritten digits and the classic first network."):
            if st.button("Train digits", key="begin_digits", icon=":material/play_arrow:", width="stretch"):
                _open(lab, digits, train=True)
        with _way(
            "moons", "Build my own network", "One layer to begin with; see at once what Keras makes of the next."
        ):
            if st.button("Build", key="begin_build", icon=":material/layers:", width="stretch"):
                _open(lab, blank, train=False)


@contextmanager
def _way(kind: str, title: str, text: str) -> Iterator[None]:
    with st.container(border=True, key=f"way_{kind}", height="stretch"):
        _about(kind, title, text)
        yield


def ready_experiments(lab: Lab) -> None:
    """The recipes of one subject, or of all."""
    st.markdown("### Ready experiments")
    subject = st.pills(
        "Subject", list(SECTIONS), default=next(iter(SECTIONS)), key="subject", persist_state="session",
        help="What the experiments below are about. Press the chosen subject once more to see those of all.",
    )  # fmt: skip
    recipe_cards(lab, SECTIONS[subject] if subject else RECIPES.values())


def recipe_cards(lab: Lab, recipes: Iterable[Recipe]) -> None:
    """A card a recipe, with a picture of its data, what it teaches and how long it takes."""
    with st.grid("auto", min_column_width=CARD, key="recipes"):
        for one in recipes:
            with st.container(border=True, key=f"recipe_{one.name}", height="stretch", gap="xsmall"):
                _about(one.experiment.data.kind, one.title, one.summary, takes=one.takes)
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    _recipe_buttons(lab, one)


def _recipe_buttons(lab: Lab, one: Recipe) -> None:
    if one.base is not None:
        if st.button("Fine-tune", key=f"tune_{one.name}", icon=":material/model_training:"):
            _tune(lab, one, one.base)
        return
    if st.button("Train", key=f"train_{one.name}", icon=":material/play_arrow:"):
        _open(lab, one.experiment, train=True)
    if st.button("Open", key=f"open_{one.name}", type="tertiary"):
        _open(lab, one.experiment, train=False)


def run_cards(lab: Lab, runs: Sequence[Run]) -> None:
    """The newest runs with their loss as a small curve."""
    if not runs:
        return
    st.markdown("### Recent runs")
    with st.grid("auto", min_column_width=CARD, key="recent"):
        for run in runs:
            with st.container(border=True, key=f"recent_{run.id}", gap="xsmall"):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.page_link(
                        navigation.BUILD.page(),
                        label=f"**{words.plain(run_name(run))}**",
                        query_params={"run": run.id},
                        width="stretch",
                    )
                    status_badge(run)
                st.image(_curve(lab, run), width=120, alt=f"Training loss of run {run.id[:4]}")
                st.caption(f"{words.ago(time.time() - run.created)}{_best(run)}")


def run_name(run: Run) -> str:
    """What people call a run."""
    return run.experiment.name or type(run.experiment.data).label


def main_score(run: Run) -> tuple[str, float] | None:
    """The score by which a run is known: on the test examples, the first of its metrics, else the loss."""
    names = [*run.experiment.training.metrics, "loss"]
    return next(((f"test_{name}", run.scores[f"test_{name}"]) for name in names if f"test_{name}" in run.scores), None)


def _best(run: Run) -> str:
    known = main_score(run)
    if known is None:
        return ""
    name, value = known
    return (
        f" · {words.metric_name(name).lower()} {words.score(value, share=name.removeprefix('test_') in words.SHARES)}"
    )


def _curve(lab: Lab, run: Run) -> str:
    curves = lab.curves(run.id)
    _, values = curves.train.get("loss") or curves.live.get("loss") or ((), ())
    return sparkline(values)


def _about(kind: str, title: str, text: str, takes: str = "") -> None:
    """What a card is about. One element, for each of Streamlit's costs a browser 10 ms and more."""
    source = base64.b64encode(picture(kind).encode()).decode()
    st.html(
        f'<div class="about"><img src="data:image/svg+xml;base64,{source}" '
        f'alt="Examples of the data set {escape(kind.replace("_", " "))}">'
        f"<h4>{escape(title)}</h4><p>{escape(text)}</p>{f'<small>Takes {escape(takes)}</small>' if takes else ''}</div>"
    )


def _open(lab: Lab, experiment: Experiment, *, train: bool) -> None:
    """Put a copy of an experiment on the bench, and perhaps train it at once."""
    state.start(lab, experiment)
    if train:
        try:
            state.launch(lab)
        except PlaygroundError as error:
            state.complain(state.TRAIN, str(error))
    st.switch_page(navigation.BUILD.page(), query_params=state.address())


def _play(lab: Lab) -> None:
    """Let a network learn spirals by itself, on the page where one plays with it."""
    state.start(lab, PLAY)
    obey(lab, {"do": "play"})
    st.switch_page(navigation.PLAY.page(), query_params=state.address())


def _tune(lab: Lab, one: Recipe, base: Experiment) -> None:
    """Put a recipe that starts from another one on the bench; that one is trained first, unless it has been."""
    try:
        run = lab.tuning.found(base) or lab.launch(base, owner=state.owner())
    except PlaygroundError as error:
        show_error(error)
        return
    state.start(lab, one.after(Saved(run=run.id)))
    st.switch_page(navigation.FINE_TUNE.page(), query_params=state.address())
