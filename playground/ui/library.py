"""The library of models: take a file in, find a model, and go on with it."""

import time
from collections.abc import Callable, Sequence

import streamlit as st

from playground.displays import words
from playground.errors import EngineUnavailable, ModelRefused, PlaygroundError
from playground.lab import Lab
from playground.lab.library import architecture
from playground.records import SavedModel
from playground.ui import navigation, state
from playground.ui.errors import guarded, show_error

SHOWN = 24
"""Cards on the page; a search finds the others."""
CARD = 330
"""Least width of a card in pixels."""
MAX_MB = 200
MANY_CLASSES = 12

ORIGINS = {"run": "Trained here", "upload": "From a file"}
_OUTCOME, _TIMES = "models.outcome", "models.times"


@guarded
def take_in(lab: Lab) -> None:
    """A place to drop a ``.keras`` file, and what became of the last one."""
    times: int = state.kept(_TIMES, 0)
    file = st.file_uploader(
        "Take a model in from a .keras file", ["keras", "h5", "hdf5"], key=f"models_file_{times}",
        max_upload_size=MAX_MB,
        help=f"At most {MAX_MB} MB. The file is read in a process of its own that can do nothing else, and the network "
        "is built anew from the playground's own layers: nothing in the file is executed.",
    )  # fmt: skip
    if file is not None:
        with st.spinner("Looking at the file"):
            try:
                outcome: SavedModel | PlaygroundError = lab.library.import_file(file, file.name, owner=state.owner())
            except EngineUnavailable as error:
                show_error(error)  # the file stays where it is
                st.button("Try again", icon=":material/refresh:", key="models_again")
                return
            except PlaygroundError as error:
                outcome = error
        state.keep(_OUTCOME, outcome)
        state.keep(_TIMES, times + 1)  # another key is an empty uploader: the upload leaves the memory
        st.rerun()
    _show_outcome(state.kept(_OUTCOME))
    state.keep(_OUTCOME, None)  # said once


def _show_outcome(outcome: SavedModel | PlaygroundError | None) -> None:
    if isinstance(outcome, SavedModel):
        st.success("The model is in the library.", icon=":material/check_circle:")
    elif isinstance(outcome, ModelRefused) and len(outcome.reasons) > 1:
        listed = "\n".join(f"- {reason}" for reason in outcome.reasons)
        st.error(f"The file was not taken in, for {len(outcome.reasons)} reasons:\n{listed}", icon=":material/error:")
    elif outcome is not None:
        show_error(outcome)


def choose_cards(lab: Lab) -> list[SavedModel]:
    """The models that pass the filters, newest first."""
    everything = lab.library.models()
    if not everything:
        st.markdown(
            "Every network that has been trained stands here, ready to be tried, looked into and trained further."
        )
        st.page_link(navigation.BUILD.page(), label="Train a network", icon=":material/play_arrow:", query_params={})
        return []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        origin = st.pills(
            "Origin", list(ORIGINS), key="models_origin", label_visibility="collapsed", format_func=ORIGINS.__getitem__,
            help="Only models that were trained here, or only those that came from files.",
        )  # fmt: skip
        wanted = st.text_input(
            "Search", key="models_search", placeholder="Name or data set", label_visibility="collapsed", width=220,
            help="A part of the name or of the data set.",
        )  # fmt: skip
    chosen = [
        card
        for card in everything
        if origin in (None, card.origin) and wanted.lower() in f"{card.name} {card.experiment.data.label}".lower()
    ]
    if not chosen:
        st.caption("No model passes these filters.")
    return chosen


def model_cards(lab: Lab, cards: Sequence[SavedModel]) -> None:
    """A card a model: what it is, how good it is, and what can be done with it."""
    with st.grid("auto", min_column_width=CARD, key="models"):
        for card in cards[:SHOWN]:
            with st.container(border=True, key=f"model_{card.id}", height="stretch", gap="xsmall"):
                _card(lab, card)
    if len(cards) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(cards)} models. Search for the others.")


@guarded
def _card(lab: Lab, card: SavedModel) -> None:
    facts = card.facts
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(card.name, width="stretch")  # a stranger's words: plain text, never Markdown
        if card.origin == "run":
            st.badge(ORIGINS["run"], icon=":material/model_training:", color="blue")
        else:
            st.badge(ORIGINS["upload"], icon=":material/upload_file:", color="violet")
    st.markdown(f"{card.experiment.data.label}{_score(card)}")
    st.caption(architecture(card))
    st.caption(
        f"Input {words.shape(facts.input_shape)} · {words.plural(card.parameters, 'parameter')} · "
        f"{words.size(card.bytes)}{_trained(lab, card)}"
    )
    st.caption(_output(card))
    if card.note:
        st.caption(card.note)
    st.space("stretch")
    _links(card)
    _changes(lab, card)


def _score(card: SavedModel) -> str:
    """Its test score: the first of its metrics, else the loss."""
    for name in (*card.experiment.training.metrics, "loss"):
        value = card.scores.get(f"test_{name}")
        if value is not None:
            return f" · test {words.metric_name(name).lower()} **{words.score(value, share=name in words.SHARES)}**"
    return ""


def _trained(lab: Lab, card: SavedModel) -> str:
    if card.origin != "run":
        return ""
    kept = lab.library.kept_epochs(card)
    epochs = f" · {words.plural(card.epoch, 'epoch')}"
    return f"{epochs}, weights kept of {len(kept)}" if kept else epochs


def _output(card: SavedModel) -> str:
    names = card.facts.class_names
    if not names:
        return f"Predicts: {card.facts.target_name}"
    left = len(names) - MANY_CLASSES
    return f"Classes: {', '.join(names[:MANY_CLASSES])}{f' and {left} more' if left > 0 else ''}"


def _links(card: SavedModel) -> None:
    with st.container(horizontal=True, gap="small"):
        model = {"model": card.id}
        st.page_link(
            navigation.FINE_TUNE.page(), label="Fine-tune", icon=":material/model_training:", query_params=model
        )
        # A run is named as one, so that it is watched on the other pages as well.
        named = {"run": card.source} if card.origin == "run" else model
        st.page_link(navigation.TRY.page(), label="Try it", icon=":material/draw:", query_params=named)
        st.page_link(
            navigation.ACTIVATIONS.page(), label="Look inside", icon=":material/grid_view:", query_params=named
        )


def _changes(lab: Lab, card: SavedModel) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(words.ago(time.time() - card.created), width="stretch")
        if card.owner in ("", state.owner()):
            if st.button("Rename", key=f"rename_{card.id}", type="tertiary", icon=":material/edit:"):
                _rename(lab, card)
            if st.button("Delete", key=f"delete_{card.id}", type="tertiary", icon=":material/delete:"):
                _delete(lab, card)


@st.dialog("Rename the model")
def _rename(lab: Lab, card: SavedModel) -> None:
    with st.form("rename_model", border=False):
        key = f"name_{card.id}"
        st.text_input("Name", card.name, max_chars=80, key=key, help="What people see in lists.")
        if st.form_submit_button(
            "Rename", type="primary",
            on_click=lambda: _attempt(lambda: lab.library.rename(card, state.widget_value(key))),
        ):  # fmt: skip
            st.rerun()


@st.dialog("Delete for good?")
def _delete(lab: Lab, card: SavedModel) -> None:
    st.text(card.name)
    st.markdown(
        "The run goes with its curve, scores and weights." if card.origin == "run" else "Its weights go with it."
    )
    with st.container(horizontal=True):
        deleted = st.button(
            "Delete", type="primary", key="confirm_delete_model", icon=":material/delete:",
            on_click=lambda: _attempt(lambda: lab.library.delete(card)),
        )  # fmt: skip
        if st.button("Keep", key="keep_model") or deleted:
            st.rerun()


def _attempt(action: Callable[[], None]) -> None:
    """Do what was asked in a dialog, or have the page say why not once the dialog is closed."""
    try:
        action()
    except PlaygroundError as error:
        state.keep(_OUTCOME, error)
