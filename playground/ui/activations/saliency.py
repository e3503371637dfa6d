"""What the scores of one or two classes rest on: gradient, integrated gradients, Grad-CAM."""

import numpy as np
import streamlit as st

from playground.displays.saliency import FeatureBars, GradCamMap, SaliencyMap
from playground.displays.trying import Probabilities
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.spec import DataFacts
from playground.spec.probes import GradCam, Saliency
from playground.ui import figure, state
from playground.ui.activations.asking import section
from playground.ui.activations.layers import asked_of
from playground.ui.errors import guarded
from playground.ui.inputs import Chosen, white_of
from playground.ui.looking import Looked

METHODS = ("gradient", "integrated_gradients")
CLASSES = ("Class", "Beside it")


def begin_saliency(lab: Lab, looked: Looked, chosen: Chosen) -> None:
    """Ask for what :func:`show_saliency` will show: the engine works on it while the layers are drawn."""
    facts = lab.facts(looked.experiment.data)
    try:
        scores = np.asarray(lab.probe(looked.saved, asked_of(chosen), chosen.x)["scores"])
        classes = tuple(picked for _, _, picked in _classes(facts, scores))
        for method in METHODS:
            lab.begin_probe(looked.saved, Saliency(method=method, classes=classes), chosen.x)
        if facts.family == "images":
            lab.begin_probe(looked.saved, GradCam(classes=classes), chosen.x)
    except PlaygroundError:
        return  # the section says what is wrong, in its place


def show_saliency(lab: Lab, looked: Looked, chosen: Chosen) -> None:
    """Maps over a picture or bars over features, for two classes side by side."""
    is_picture = looked.experiment.data.family == "images"
    st.markdown("#### Saliency and Grad-CAM" if is_picture else "#### Saliency")
    section(looked, "activations_saliency", _saliency, lab, looked, chosen)


def _saliency(lab: Lab, looked: Looked, chosen: Chosen) -> None:
    facts = lab.facts(looked.experiment.data)
    scores = np.asarray(lab.probe(looked.saved, asked_of(chosen), chosen.x)["scores"])
    classes = _choose_classes(facts, scores)
    if facts.class_names:
        st.caption(
            "Explained is the score before the output's activation: near 1 a softmax is flat and would hide much."
        )
    draw = guarded(_pictures if facts.family == "images" else _bars)
    draw(lab, looked, chosen, classes)


def _classes(facts: DataFacts, scores: np.ndarray) -> list[tuple[str, int, int]]:
    """Two classes, at first the likeliest two; for a regression the one output.

    Of each the key of the widget that chooses it, the class by default, which follows the input as long as nobody has
    chosen, and the chosen one.
    """
    if not facts.class_names:
        return [("", 0, 0)]
    found = []
    for place, k in enumerate(Probabilities.from_scores(scores, facts.class_names).order[:2]):
        key = f"activations_{CLASSES[place]}_{'_'.join(facts.class_names)}"
        picked = state.widget_value(key)
        found.append((key, int(k), int(k) if picked is None else picked))
    return found


def _choose_classes(facts: DataFacts, scores: np.ndarray) -> tuple[int, ...]:
    classes = _classes(facts, scores)
    if facts.class_names:
        for column, label, (key, k, _) in zip(st.columns(2), CLASSES, classes, strict=True):
            column.selectbox(
                label, range(len(facts.class_names)), index=None, format_func=facts.class_names.__getitem__, key=key,
                placeholder=f"{facts.class_names[k]} (by its score)",
                help="Whose score is explained; empty: the class with the "
                f"{'highest' if label == CLASSES[0] else 'second highest'} score.",
            )  # fmt: skip
    return tuple(picked for _, _, picked in classes)


def _pictures(lab: Lab, looked: Looked, chosen: Chosen, classes: tuple[int, ...]) -> None:
    facts = lab.facts(looked.experiment.data)
    found = {method: lab.probe(looked.saved, Saliency(method=method, classes=classes), chosen.x) for method in METHODS}
    columns = st.columns(len(classes), gap="large")
    for index, (column, k) in enumerate(zip(columns, classes, strict=True)):
        name = facts.class_names[k] if facts.class_names else facts.target_name
        with column:
            st.markdown(f"##### {name}")
            for method in METHODS:
                st.html(SaliencyMap(np.asarray(found[method]["maps"][index]), name, method).html())
    guarded(_grad_cam)(lab, looked, chosen, classes)


def _grad_cam(lab: Lab, looked: Looked, chosen: Chosen, classes: tuple[int, ...]) -> None:
    last = lab.probe(looked.saved, GradCam(classes=classes), chosen.x)
    chosen_layer = st.selectbox(
        "Layer of Grad-CAM", list(last["layers"]), index=None, key=f"activations_cam_{looked.id}",
        placeholder=f"{last['layer']} (the last that sees something)",
        help="A late layer knows what it sees but only roughly where; an early one the other way round.",
    )  # fmt: skip
    layer = chosen_layer or last["layer"]
    found = last if layer == last["layer"] else lab.probe(looked.saved, GradCam(classes=classes, layer=layer), chosen.x)
    facts = lab.facts(looked.experiment.data)
    for index, (column, k) in enumerate(zip(st.columns(len(classes), gap="large"), classes, strict=True)):
        name = facts.class_names[k] if facts.class_names else facts.target_name
        shown = GradCamMap(chosen.x[0], white_of(looked.experiment), np.asarray(found["maps"][index]), name, layer)
        column.html(shown.html())


def _bars(lab: Lab, looked: Looked, chosen: Chosen, classes: tuple[int, ...]) -> None:
    facts = lab.facts(looked.experiment.data)
    for method in METHODS:
        found = lab.probe(looked.saved, Saliency(method=method, classes=classes), chosen.x)
        for index, (column, k) in enumerate(zip(st.columns(len(classes), gap="large"), classes, strict=True)):
            name = facts.class_names[k] if facts.class_names else facts.target_name
            bars = FeatureBars(np.asarray(found["maps"][index]), facts.feature_names, name, method)
            with column:
                figure.show(bars.plot(), key=f"activations_{method}_{index}")
