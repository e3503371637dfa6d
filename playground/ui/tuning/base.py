"""Which saved weights to start from."""

import streamlit as st

from playground.displays import words
from playground.lab import Lab
from playground.lab.tuning import Base
from playground.spec import Experiment, changed
from playground.spec.saved import Saved
from playground.ui import navigation, state
from playground.ui.errors import guarded
from playground.ui.looking import NEWEST, kept_slider
from playground.ui.progress import progress
from playground.ui.strip import short_id
from playground.ui.tuning.planned import edit, start_of


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
    start = start_of(experiment)
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
        if base := bases.get(state.widget_value(key)):
            edit(lab, experiment, lambda _: lab.tuning.propose(base), redraw=True)

    st.selectbox(
        "Base model", list(bases), index=list(bases).index(chosen), key=key, on_change=choose,
        format_func=lambda id: f"{bases[id].name} · {short_id(id)}",
        help="Whose weights training starts from: any run that is over, or a model of the library.",
    )  # fmt: skip


def _choose_epoch(lab: Lab, experiment: Experiment) -> None:
    saved = start_of(experiment).base
    if not saved.run:
        return
    kept = lab.kept_epochs(saved.run)
    if not kept:
        return
    key = state.widget_key("tuning", "epoch", saved.run)

    def choose() -> None:
        epoch = state.widget_value(key)
        base = Saved(run=saved.run, epoch=None if epoch == NEWEST else int(epoch))
        edit(lab, experiment, lambda shown: changed(shown, start=changed(start_of(shown), base=base)))

    kept_slider(lab.run(saved.run), kept, NEWEST if saved.epoch is None else saved.epoch, key, choose)


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
