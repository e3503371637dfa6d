"""How gradients, steps and weights fare: verdicts and curves of a run, and the gradient of one moment."""

import functools
from typing import Any

import pandas as pd
import streamlit as st

from playground.displays.gradient_flow import GradientFlow
from playground.displays.health import HealthCurves, HistogramMap
from playground.displays.probes import FIGURES
from playground.evaluation.health import HISTOGRAMS, Health
from playground.evaluation.verdicts import Verdict
from playground.lab import Lab
from playground.records import Run
from playground.spec import changed
from playground.spec.probes import GradientCheck, Gradients, Probe
from playground.spec.saved import Saved
from playground.ui import figure, state
from playground.ui.errors import guarded
from playground.ui.looking import Looked
from playground.ui.spec_form import folded, spec_form

REFRESH = 1.0
"""Seconds between two looks at a live run; it tells no more often."""


def show_health(lab: Lab, run: Run) -> None:
    """Verdicts and curves, following the run while it lives."""
    every = None if run.status.is_over else state.pace(REFRESH)
    st.fragment(guarded(_health), run_every=every, key="health")(lab, run.id, run.status.is_over)


def _health(lab: Lab, run_id: str, was_over: bool) -> None:
    run = lab.watch(run_id).run
    health = lab.health.of(run)
    if health is None or not len(health):
        waits = "They grow here as soon as it trains." if not run.status.is_over else "It was trained before they were."
        st.info(f"No gradients were collected of this run. {waits}", icon=":material/schedule:")
    else:
        for verdict in lab.health.verdicts(run):
            _verdict(verdict)
        curves = HealthCurves(health)
        left, right = st.columns(2)
        with left:
            figure.show(curves.ratios(), key="health_ratio")
        with right:
            figure.show(curves.gradients(), key="health_gradient")
        _histograms(health)
    if run.status.is_over != was_over:
        st.rerun()


def _verdict(verdict: Verdict) -> None:
    if verdict.kind == "healthy":
        st.success(f"**Healthy.** {verdict.sentence}", icon=":material/check_circle:")
    else:
        title = f"{_TITLES[verdict.kind]} at {verdict.layer}" if verdict.layer else _TITLES[verdict.kind]
        st.warning(f"**{title}.** {verdict.sentence}\n\n{verdict.remedy}", icon=":material/healing:")


_TITLES = {
    "vanishing": "Vanishing gradient", "exploding": "Exploding gradient", "dead": "Dead units",
    "saturated": "Saturated units", "rate too high": "Learning rate too high", "rate too low": "Learning rate too low",
}  # fmt: skip


def _histograms(health: Health) -> None:
    st.markdown("##### Distributions over the epochs")
    left, right = st.columns(2, vertical_alignment="bottom")
    variable = left.selectbox(
        "Variable", health.names.variables, key=state.widget_key("gradients", "variable", *health.names.variables),
        help="Weights of a layer: kernel and bias are variables of their own.",
    )  # fmt: skip
    kind = right.segmented_control(
        "Values", HISTOGRAMS, default="gradient", required=True, format_func=_MANY.__getitem__, key="gradients_kind",
        help="The gradient of the loss, what one step changes, or the weights themselves.",
    )  # fmt: skip
    shown = HistogramMap.from_health(health, variable, kind)
    figure.show(shown.plot(), key="health_histogram", title=False)


_MANY = {"gradient": "Gradients", "update": "Updates", "weight": "Weights"}


def show_flow(lab: Lab, looked: Looked) -> None:
    """The gradient at the chosen epoch on its way back through the layers."""
    st.fragment(guarded(_flow), key="flow")(lab, looked)


def _flow(lab: Lab, looked: Looked) -> None:
    st.markdown("##### Gradient on its way back")
    left, right = st.columns(2, vertical_alignment="bottom")
    parts = ["train", *(["validation"] if looked.experiment.data.validation_fraction else []), "test"]
    part = left.segmented_control(
        "Examples of", parts, default="train", required=True, key="flow_part",
        help="The loss is computed on examples of this split.",
    )  # fmt: skip
    examples = right.select_slider(
        "Examples", [1, 8, 64, 256, 1024], 64, key="flow_examples", help="How many; the loss is the mean over them."
    )
    with st.spinner("Computing the gradient"):
        found = lab.probe(looked.saved, Gradients(part=part, examples=examples))
    figure.show(GradientFlow.from_answer(found).plot(), key="flow_chart", title=False)


def show_check(lab: Lab, saved: Saved) -> None:
    """Finite differences against automatic differentiation, when somebody asks for it."""
    folded("Gradient check", "gradient_check", lambda: st.fragment(guarded(_check), key="check")(lab, saved))


def _check(lab: Lab, saved: Saved) -> None:
    st.markdown(
        "Is the gradient right? On a copy of the network in double precision, some entries of a variable are moved by "
        "a small h to both sides: (L(w + h) − L(w − h)) / 2h is compared with what automatic differentiation says. "
        "Dropout is off and batch normalization uses its moving averages, so that the loss is the same at every call."
    )
    names = lab.probe(saved, Gradients())["variables"]
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    variable = left.selectbox(
        "Variable", names, key=state.widget_key("check", *names), help="Whose gradient is checked."
    )
    if right.button("Check", key="check_now", icon=":material/rule:", help="Takes a second or two."):
        with st.spinner("Comparing with finite differences"):
            _show_check(lab.probe(saved, GradientCheck(variable=variable)), variable)


def _show_check(found: dict[str, Any], variable: str) -> None:
    worst, count = float(found["relative"].max()), len(found["relative"])
    st.metric(
        "Largest relative error", f"{worst:.1e}", help="|automatic − numeric| / max(|automatic|, |numeric|, 1e-7)"
    )
    agrees = "They agree" if worst < AGREES else "They differ: a kink such as relu's at 0 may lie within h"
    st.caption(f"{count} entries of {variable}, half of them those with the largest gradient. {agrees}.")
    table = pd.DataFrame(
        {
            "Entry": [", ".join(map(str, entry)) for entry in found["entries"]],
            "Automatic": found["automatic"], "Finite difference": found["numeric"], "Relative error": found["relative"],
        }
    )  # fmt: skip
    numbers = st.column_config.NumberColumn(format="%.6e")
    columns = {"Automatic": numbers, "Finite difference": numbers} | {
        "Relative error": st.column_config.NumberColumn(format="%.1e")
    }
    st.dataframe(table, hide_index=True, column_config=columns, alt=f"Gradient check of {variable}")


AGREES = 1e-4
"""Relative error below which two gradients are the same (a wrong one differs in the first digits)."""


def show_more(lab: Lab, saved: Saved) -> None:
    """Every probe whose answer is one figure, with a form made from its spec."""
    folded("More probes", "more_probes", lambda: st.fragment(guarded(_more), key="more")(lab, saved))


def _more(lab: Lab, saved: Saved) -> None:
    probes = {probe.model_fields["kind"].default: probe for probe in FIGURES}
    kind = st.selectbox(
        "Probe", list(probes), format_func=lambda kind: probes[kind].label, key="more_kind",
        help="Each asks the network of the chosen epoch one question.",
    )  # fmt: skip
    st.caption(probes[kind].help)
    asked = state.kept(f"probe.{kind}", probes[kind](kind=kind))
    spec_form(asked, functools.partial(_ask, asked), "more", show="all", redraws="more")
    with st.spinner("Asking the network"):
        found = lab.probe(saved, asked)
    figure.show(FIGURES[probes[kind]](found), key=f"more_{kind}")


def _ask(asked: Probe, name: str, value: Any) -> None:
    state.keep(f"probe.{asked.kind}", changed(asked, **{name: value}))
