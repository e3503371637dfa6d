"""Which layers learn when, for how long and how fast; and the button that starts it."""

import functools
from typing import Any

import streamlit as st

from playground.displays import words
from playground.errors import PlaygroundError
from playground.lab import Lab, edits
from playground.spec import Experiment, changed
from playground.spec.start import TUNING, Continue, EvaluateOnly, FromScratch, TuningPlan
from playground.ui import state
from playground.ui.errors import show_error
from playground.ui.spec_form import folded, spec_form
from playground.ui.tuning.layers import layers_that_learn
from playground.ui.tuning.planned import edit, say_problem, start_of

PLANS: dict[str, Any] = {plan.model_fields["kind"].default: plan for plan in TUNING}
SEEDS = (1, 3)


def plan_section(lab: Lab, experiment: Experiment) -> None:
    """What learns when: one click a plan, its few numbers, and the layers one by one."""
    plan = start_of(experiment).plan
    key = state.widget_key("tuning", "plan")

    def choose() -> None:
        chosen = PLANS[state.widget_value(key)]()
        edit(lab, experiment, lambda shown: lab.tuning.with_plan(shown, chosen), redraw=True)

    st.radio(
        "Plan", list(PLANS), index=list(PLANS).index(plan.kind), key=key, on_change=choose,
        format_func=lambda kind: PLANS[kind].label, captions=[one.help for one in TUNING],
        label_visibility="collapsed",
    )  # fmt: skip
    change_plan = functools.partial(_change_plan, lab, experiment)
    left, right = st.columns(2)
    with left:
        if not isinstance(plan, EvaluateOnly):
            change = functools.partial(_change_training, lab, experiment)
            spec_form(experiment.training, change, "tuning_epochs", only=("epochs",))
    with right:
        spec_form(plan, change_plan, "tuning_plan", only=("last", "head_epochs"))
    if not isinstance(plan, EvaluateOnly):
        optimizer = experiment.training.optimizer
        change = functools.partial(_change_rate, lab, experiment)
        spec_form(optimizer, change, "tuning_rate", only=("learning_rate",))
    spec_form(plan, change_plan, "tuning_plan", only=("rate_factor",))
    chosen = functools.partial(_change_layers, lab, experiment)
    folded("Layer by layer", "tuning_layers", functools.partial(layers_that_learn, lab, experiment, chosen))


def _change_plan(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    def change(shown: Experiment) -> Experiment:
        start = start_of(shown)
        values = {name: value, "layers": ()} if name == "last" else {name: value}  # the last ones, not chosen ones
        return changed(shown, start=changed(start, plan=changed(start.plan, **values)))

    edit(lab, experiment, change, redraw=name == "last")


def _change_layers(lab: Lab, experiment: Experiment, plan: TuningPlan) -> None:
    edit(lab, experiment, lambda shown: lab.tuning.with_plan(shown, plan), redraw=True)


def _change_training(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    edit(lab, experiment, lambda shown: edits.with_training(shown, **{name: value}))


def _change_rate(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    def change(shown: Experiment) -> Experiment:
        return edits.with_training(shown, optimizer=changed(shown.training.optimizer, **{name: value}))

    edit(lab, experiment, change)


def start_section(lab: Lab, experiment: Experiment) -> None:
    """What will happen with the output layer, how many runs, and the button."""
    fits = True
    try:
        for sentence in lab.tuning.fits(experiment):
            st.markdown(f":material/info: {sentence}")
    except PlaygroundError as error:
        show_error(error)
        fits = False
    if not lab.tuning.is_trained(start_of(experiment).base):
        st.info("The base model is trained first. Then press Fine-tune.", icon=":material/schedule:")
        fits = False
    plan = start_of(experiment).plan
    one_seed, no_control = isinstance(plan, Continue | EvaluateOnly), isinstance(plan, FromScratch | EvaluateOnly)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        seeds: int = st.segmented_control(
            "Seeds", SEEDS, default=1, required=True, key="tuning_seeds", disabled=one_seed, width="content",
            help="With three seeds everything is trained three times, and the answer says how sure it is. Continue has "
            "one: that of its base.",
        )  # fmt: skip
        control: bool = st.checkbox(
            "Also from scratch, to compare", True, key="tuning_control", disabled=no_control,
            help="The same network with new weights and the same epochs: what fine-tuning has to beat.",
        )  # fmt: skip
    seeds, control = 1 if one_seed else seeds, control and not no_control
    st.button(
        "Fine-tune", type="primary", icon=":material/model_training:", key="fine_tune", disabled=not fits,
        on_click=_launch, args=(lab, experiment, seeds, control), width="stretch",
    )  # fmt: skip
    runs = seeds * (1 + control)
    budget = f"{words.plural(runs, 'run')} of {words.plural(experiment.training.epochs, 'epoch')}"
    st.caption("One run that trains nothing." if isinstance(plan, EvaluateOnly) else f"{budget}.")
    say_problem(state.TRAIN)


def _launch(lab: Lab, experiment: Experiment, seeds: int, control: bool) -> None:
    edit(lab, experiment, lambda _: experiment)
    try:
        run = lab.tuning.launch(
            experiment, seeds=seeds, control=control, draft=state.draft_id(), owner=state.owner()
        )  # fmt: skip
    except PlaygroundError as error:
        state.complain(state.TRAIN, str(error))
        return
    state.complain(state.TRAIN, "")
    state.watch(run.id)
    state.write_address()
