"""The choices of the Fine-tune page: base model, data, plan, and the button that starts it.

What is chosen is an experiment with a ``start``, on the bench like any other: it is kept as a draft, and undone.
"""

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from playground import data
from playground.displays import words
from playground.errors import PlaygroundError
from playground.lab import Lab, edits
from playground.lab.tuning import Base
from playground.spec import DATASETS, DataSpec, Experiment, changed
from playground.spec.saved import Saved
from playground.spec.start import TUNING, Continue, EvaluateOnly, FromScratch, Start, TuningPlan
from playground.ui import navigation, state
from playground.ui.errors import guarded, show_error
from playground.ui.layers_that_learn import layers_that_learn
from playground.ui.live import progress
from playground.ui.spec_form import folded, spec_form
from playground.ui.strip import short_id

PLANS: dict[str, Any] = {plan.model_fields["kind"].default: plan for plan in TUNING}
LABELS = {kind.model_fields["kind"].default: kind.label for kind in DATASETS}
NEWEST = "newest"
SEEDS = (1, 3)


def choose_base(lab: Lab) -> Experiment | None:
    """The base model and its epoch; gives the experiment that starts from it, None where nothing has trained yet.

    It is the one on the bench where that starts from a base; else the first plan for the run that is watched, or for
    the newest one.
    """
    bases = {base.saved.run or base.saved.model: base for base in lab.tuning.bases()}
    experiment, asked = state.experiment(), state.named("model")
    if asked or experiment.start is None:
        if not bases:
            _nothing_yet()
            return None
        wanted = asked or state.run_id() or ""
        experiment = lab.tuning.propose(bases.get(wanted) or next(iter(bases.values())))
    start = _start(experiment)
    chosen = start.base.run or start.base.model
    if chosen not in bases:
        bases = {chosen: lab.tuning.base(start.base), **bases}
    left, right = st.columns([5, 7], gap="medium", vertical_alignment="bottom")
    with left:
        _choose(lab, experiment, bases, chosen)
    with right:
        if lab.tuning.is_trained(start.base):
            _choose_epoch(lab, experiment)
        else:
            st.fragment(guarded(_await_base), run_every=1, key="tuning_base")(lab, start.base.run)
    st.caption(_about(bases[chosen]))
    return experiment


def _nothing_yet() -> None:
    st.markdown("### Nothing to start from yet")
    st.markdown(
        "A network that has trained can go on here, or learn something new with little data: other classes, other "
        "pictures. First train one."
    )
    st.page_link(navigation.BUILD.page(), label="Train a network", icon=":material/play_arrow:", query_params={})


def _choose(lab: Lab, experiment: Experiment, bases: dict[str, Base], chosen: str) -> None:
    key = state.widget_key("tuning", "base")

    def choose() -> None:
        base = bases[state.widget_value(key)]
        _edit(lab, experiment, lambda _: lab.tuning.propose(base), redraw=True)

    st.selectbox(
        "Base model", list(bases), index=list(bases).index(chosen), key=key, on_change=choose,
        format_func=lambda id: f"{bases[id].name} · {short_id(id)}",
        help="Whose weights training starts from: any run that is over, or a model of the library.",
    )  # fmt: skip


def _choose_epoch(lab: Lab, experiment: Experiment) -> None:
    saved = _start(experiment).base
    if not saved.run:
        return
    kept = lab.kept_epochs(saved.run)
    if not kept:
        return
    key = state.widget_key("tuning", "epoch", saved.run)

    def choose() -> None:
        epoch = state.widget_value(key)
        base = Saved(run=saved.run, epoch=None if epoch == NEWEST else int(epoch))
        _edit(lab, experiment, lambda shown: changed(shown, start=changed(_start(shown), base=base)))

    st.select_slider(
        "After epoch", [*kept, NEWEST], NEWEST if saved.epoch is None else saved.epoch, key=key, on_change=choose,
        help="Weights are kept at the start, after some epochs spread over the run, and at its end.",
    )  # fmt: skip


def _await_base(lab: Lab, run_id: str) -> None:
    """A base model that has to be trained first."""
    watch = lab.watch(run_id)
    progress(watch)
    if watch.run.status.is_over:
        st.rerun()


def _about(base: Base) -> str:
    facts = base.facts
    parts = [f"Input {words.shape(facts.input_shape)}", type(base.experiment.data).label]
    if facts.class_names:
        parts.append(f"classes {', '.join(facts.class_names)}")
    name = "accuracy" if "test_accuracy" in base.scores else "loss"
    if f"test_{name}" in base.scores:
        value = words.score(base.scores[f"test_{name}"], share=name in words.SHARES)
        parts.append(f"test {name} {value}")
    return f"{' · '.join(parts)}."


def data_section(lab: Lab, experiment: Experiment) -> None:
    """The same data or new, which classes and how many examples, and whether it fits the base."""
    base = lab.tuning.base(_start(experiment).base)
    key = state.widget_key("tuning", "data")

    def choose() -> None:
        kind = state.widget_value(key)
        new = base.experiment.data if kind == base.experiment.data.kind else _dataset(kind)
        _edit(lab, experiment, lambda shown: lab.tuning.with_data(shown, new), redraw=True)

    st.selectbox(
        "Data set", list(LABELS), index=list(LABELS).index(experiment.data.kind), key=key, on_change=choose,
        format_func=lambda kind: _data_label(kind, base),
        help="What it learns now: the data of the base model, or another set whose examples have the same size.",
    )  # fmt: skip
    _choose_classes(lab, experiment)
    apply = functools.partial(_change_data, lab, experiment)
    if "examples" in type(experiment.data).model_fields:
        spec_form(experiment.data, apply, "tuning_examples", only=("examples",))
    form = functools.partial(_more_data, experiment.data, apply)
    folded("Scaling, split and more", "tuning_data_more", form)


def _more_data(shown: DataSpec, apply: Callable[[str, Any], None]) -> None:
    fields = [name for name in type(shown).model_fields if name not in ("kind", "classes", "examples")]
    spec_form(shown, apply, "tuning_data", only=fields)


def _data_label(kind: str, base: Base) -> str:
    if kind == base.experiment.data.kind:
        return f"{LABELS[kind]} (the base model's)"
    return f"{LABELS[kind]} · {words.shape(data.describe(_dataset(kind)).input_shape)}"


def _dataset(kind: str) -> Any:
    return next(one for one in DATASETS if one.model_fields["kind"].default == kind)()


def _choose_classes(lab: Lab, experiment: Experiment) -> None:
    shown = experiment.data
    if "classes" not in type(shown).model_fields:
        return
    every = data.describe(changed(shown, classes=None)).class_names
    key = state.widget_key("tuning", "classes", shown.kind)

    def choose() -> None:
        picked = [name for name in every if name in state.widget_value(key)]
        state.complain(key, "" if len(picked) > 1 else "Two classes at least are needed to tell apart.")
        if len(picked) > 1:
            _change_data(lab, experiment, "classes", None if len(picked) == len(every) else tuple(picked))

    st.pills(
        "Classes", every, selection_mode="multi", default=list(data.describe(shown).class_names), key=key,
        on_change=choose, help="Which of its classes it learns; they are numbered anew.",
    )  # fmt: skip
    _say_problem(key)


def _change_data(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    _edit(lab, experiment, lambda shown: lab.tuning.with_data(shown, changed(shown.data, **{name: value})))


def plan_section(lab: Lab, experiment: Experiment) -> None:
    """What learns when: one click a plan, its few numbers, and the layers one by one."""
    plan = _start(experiment).plan
    key = state.widget_key("tuning", "plan")

    def choose() -> None:
        chosen = PLANS[state.widget_value(key)]()
        _edit(lab, experiment, lambda shown: lab.tuning.with_plan(shown, chosen), redraw=True)

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
    folded("Layers that learn", "tuning_layers", functools.partial(layers_that_learn, lab, experiment, chosen))


def _change_plan(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    def change(shown: Experiment) -> Experiment:
        start = _start(shown)
        values = {name: value, "layers": ()} if name == "last" else {name: value}  # the last ones, not chosen ones
        return changed(shown, start=changed(start, plan=changed(start.plan, **values)))

    _edit(lab, experiment, change, redraw=name == "last")


def _change_layers(lab: Lab, experiment: Experiment, plan: TuningPlan) -> None:
    _edit(lab, experiment, lambda shown: lab.tuning.with_plan(shown, plan), redraw=True)


def _change_training(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    _edit(lab, experiment, lambda shown: edits.with_training(shown, **{name: value}))


def _change_rate(lab: Lab, experiment: Experiment, name: str, value: Any) -> None:
    def change(shown: Experiment) -> Experiment:
        return edits.with_training(shown, optimizer=changed(shown.training.optimizer, **{name: value}))

    _edit(lab, experiment, change)


def start_section(lab: Lab, experiment: Experiment) -> None:
    """What will happen with the output layer, how many runs, and the button."""
    fits = True
    try:
        for sentence in lab.tuning.fits(experiment):
            st.markdown(f":material/info: {sentence}")
    except PlaygroundError as error:
        show_error(error)
        fits = False
    if not lab.tuning.is_trained(_start(experiment).base):
        st.info("The base model is trained first. Then press Fine-tune.", icon=":material/schedule:")
        fits = False
    plan = _start(experiment).plan
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
    _say_problem(state.TRAIN)


def _launch(lab: Lab, experiment: Experiment, seeds: int, control: bool) -> None:
    _edit(lab, experiment, lambda _: experiment)
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


def _edit(
    lab: Lab, shown: Experiment, change: Callable[[Experiment], Experiment], *, redraw: bool = False
) -> None:  # fmt: skip
    """Change what is planned; what is only proposed goes on the bench first, as a draft of its own."""
    if shown == state.experiment():
        state.edit(lab, change, redraw=redraw)
        return
    state.start(lab, change(shown))
    state.write_address()


def _start(experiment: Experiment) -> Start:
    if experiment.start is None:
        raise PlaygroundError("This experiment starts from no saved weights. Choose a base model.")
    return experiment.start


def _say_problem(place: str) -> None:
    if problem := state.problem(place):
        st.markdown(f":red[:material/error: {problem}]")
