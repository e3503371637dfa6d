"""Try it: an input of one's own, what the network says of it, and the training examples that are like it."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.displays import words
from playground.displays.trying import Probabilities, enlarged
from playground.errors import EngineUnavailable, PlaygroundError
from playground.lab import Lab
from playground.records import SavedModel
from playground.spec import DataFacts, Experiment
from playground.spec.probes import Example, Predictions
from playground.spec.saved import Saved
from playground.ui import figure, navigation, state
from playground.ui.errors import guarded, show_error
from playground.ui.inputs import Chosen, called, choose_input, white_of
from playground.ui.looking import choose_weights

NEIGHBOURS = 6


def choose_network(lab: Lab) -> tuple[Experiment, Saved] | None:
    """The network that the address names, alone, or one to choose; None where there is none yet."""
    if asked := state.named("model") or state.named("run"):
        card = lab.library.model(asked)
        st.markdown(f"### {words.plain(card.name)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Give the network an input: it answers as you go.", width="content")
            another = "Choose another network"
            st.page_link(navigation.TRY.page(), label=another, icon=":material/swap_horiz:", query_params={})
        return card.experiment, _saved(card)
    looked = choose_weights(lab, what="What a network says of your own input")
    return (looked.experiment, looked.saved) if looked else None


def _saved(card: SavedModel) -> Saved:
    return Saved(run=card.id) if card.origin == "run" else Saved(model=card.id)


def try_network(lab: Lab, experiment: Experiment, saved: Saved) -> None:
    """Input on the left, answer on the right, likely relatives below; only this is drawn anew while one draws."""
    waiting = _missing(lab, saved) is not None
    st.fragment(guarded(_try), run_every=1 if waiting else None, key="trying")(lab, experiment, saved, waiting)


def _missing(lab: Lab, saved: Saved) -> EngineUnavailable | None:
    """Why nobody can be asked yet: the engine starts, or it fetches the network and its data for the first time."""
    try:
        lab.probe(saved, Example(part="train"))
    except EngineUnavailable as error:
        return error
    except PlaygroundError:
        pass  # each part of the page says in its own place what is wrong
    return None


def _try(lab: Lab, experiment: Experiment, saved: Saved, was_waiting: bool) -> None:
    if error := _missing(lab, saved):
        show_error(error)
        return
    if was_waiting:
        st.rerun()
    facts = lab.facts(experiment.data)
    left, right = st.columns([5, 7], gap="large")
    with left:
        chosen = choose_input(lab, experiment, saved)
    with right:
        if chosen is None:
            st.markdown("##### Prediction")
            st.caption("What the network says stands here as soon as it has an input.")
            return
        guarded(_answer)(lab, saved, chosen, facts)
        _links(saved)
    guarded(_neighbours)(lab, experiment, saved, chosen, facts)


def _answer(lab: Lab, saved: Saved, chosen: Chosen, facts: DataFacts) -> None:
    """The prediction, and the truth where it is known."""
    score = np.asarray(lab.probe(saved, Predictions(), chosen.x)["scores"])[0]
    if facts.class_names:
        _classes(Probabilities.from_scores(score, facts.class_names), chosen, facts)
    else:
        _number(float(score), chosen, facts)


def _classes(answer: Probabilities, chosen: Chosen, facts: DataFacts) -> None:
    with st.container(horizontal=True, key="numbers"):
        st.metric("Prediction", facts.class_names[answer.top], help=f"The likeliest {facts.target_name}.")
        st.metric(
            "Probability", words.score(answer.values[answer.top], share=True),
            help="The network's own estimate. It is often too sure of inputs unlike any it learned from.",
        )  # fmt: skip
        if chosen.target is not None:
            verdict = "right" if int(chosen.target) == answer.top else "wrong"
            st.metric("Truth", f"{called(chosen.target, facts)}, {verdict}", help="What the data set says it is.")
    figure.show(answer.plot(), key="try_probabilities")


def _number(score: float, chosen: Chosen, facts: DataFacts) -> None:
    with st.container(horizontal=True, key="numbers"):
        st.metric("Prediction", words.score(score), help=f"In the unit of {facts.target_name}.")
        if chosen.target is not None:
            st.metric("Truth", words.score(chosen.target), help="What the data set says.")
            st.metric("Error", words.score(score - chosen.target), help="Prediction minus truth.")
    st.caption(f"The network predicts a {facts.target_name} of {words.score(score)}.")


def _links(saved: Saved) -> None:
    """The way on; the input goes along."""
    st.page_link(
        navigation.ACTIVATIONS.page(), label="Activations and saliency of this input", icon=":material/grid_view:",
        query_params={"run": saved.run} if saved.run else {"model": saved.model},
        help="What every layer makes of it, and which parts of it decide.",
    )  # fmt: skip


def _neighbours(lab: Lab, experiment: Experiment, saved: Saved, chosen: Chosen, facts: DataFacts) -> None:
    """The training examples nearest to the input."""
    found = lab.probe(saved, Predictions(neighbours=NEIGHBOURS), chosen.x)
    x, distances = np.asarray(found["neighbours"])[0], np.asarray(found["distances"])[0]
    targets = np.asarray(found["neighbour_targets"])[0]
    names = [facts.class_names[k] if facts.class_names else words.score(k) for k in targets.tolist()]
    st.markdown("##### Nearest training examples")
    if experiment.data.family == "images":
        pictures = [enlarged(picture, white_of(experiment), 84) for picture in x]
        alts = [f"A training example of {name}" for name in names]
        captions = [f"{name} · {distance:.2g}" for name, distance in zip(names, distances, strict=True)]
        with st.container(key="pixels_neighbours"):
            st.image(pictures, caption=captions, alt=alts)
    else:
        table = _table(x, names, distances, facts)
        st.dataframe(table, hide_index=True, alt="The nearest training examples, nearest first", height="content")
    agreement = _agreement(names) if facts.class_names else f"Their mean is {words.score(targets.mean())}."
    st.caption(f"{agreement} The number is the Euclidean distance between inputs as the network receives them.")


def _table(x: NDArray[Any], names: list[str], distances: NDArray[np.floating], facts: DataFacts) -> pd.DataFrame:
    columns: dict[str, Any] = {facts.target_name.capitalize(): names, "Distance": distances.round(3)}
    return pd.DataFrame(columns | {name: x[:, k].round(4) for k, name in enumerate(facts.feature_names)})


def _agreement(names: list[str]) -> str:
    """What most of the neighbours are."""
    most = max(names, key=names.count)
    votes = names.count(most)
    share = "All" if votes == len(names) else f"{votes} of the"
    return f"{share} {len(names)} nearest are of class {most}."
