"""When a training stops, and the care it takes of gradients, weights and examples: two folded parts of its form."""

import functools
from collections.abc import Sequence
from typing import Any

import streamlit as st

from playground.displays import words
from playground.lab import Lab, edits
from playground.spec import DataFacts, Training, changed, scores_for
from playground.spec.optimizers import CARE, CLIPPING, AdamW, Optimizer
from playground.spec.stopping import STOP_RULES, StopRuleSpec, Watching
from playground.ui import state
from playground.ui.spec_form import options, put, spec_form

OWN = "own numbers"
"""Chosen where somebody gives each class a weight."""


class Section:
    """What both parts need to know.

    Args:
        lab: keeps the draft.
        facts: of the data.
        redraws: the fragments that show what is changed here.
    """

    def __init__(self, lab: Lab, facts: DataFacts, redraws: Sequence[str]) -> None:
        self.lab, self.facts, self.redraws = lab, facts, redraws

    @property
    def training(self) -> Training:
        return state.experiment().training

    def change(self, name: str, value: Any) -> None:
        """Put a value into the training."""
        state.edit(self.lab, lambda experiment: edits.with_training(experiment, **{name: value}))

    def change_part(self, part: str, name: str, value: Any) -> None:
        """Put a value into a part of the training, such as its optimizer."""
        self.change(part, changed(getattr(self.training, part), **{name: value}))

    def form(self, spec: Any, part: str, only: Sequence[str]) -> None:
        """Fields of the training (no part) or of one of its parts."""
        apply = functools.partial(self.change_part, part) if part else self.change
        if only:
            spec_form(spec, apply, "care", part, only=only, redraws=self.redraws)


# Stop rules


def stop_rules(section: Section) -> None:
    """A switch for every rule there is, with its form below it where it is on."""
    section.form(section.training, "", ("stop_at_loss",))
    asked = {rule.kind: rule for rule in section.training.stop_rules}
    for kind in STOP_RULES:
        name = kind.model_fields["kind"].default
        _switch(section, name, kind.label, kind.help, on=name in asked)
        if name in asked:
            _rule(section, asked[name])


def _switch(section: Section, kind: str, label: str, help: str, *, on: bool) -> None:
    key = state.widget_key("stop_rule", kind)

    def switch() -> None:
        is_on = state.widget_value(key)
        state.edit(section.lab, lambda experiment: edits.with_stop_rule(experiment, kind, on=is_on))
        st.rerun(section.redraws)

    st.toggle(label, value=on, key=key, help=help, on_change=switch)


def _rule(section: Section, rule: StopRuleSpec) -> None:
    def apply(name: str, value: Any) -> None:
        state.edit(section.lab, lambda experiment: edits.change_stop_rule(experiment, rule.kind, **{name: value}))

    if isinstance(rule, Watching):
        _monitor(section, rule, apply)
    fields = [field.name for field in options(type(rule)) if field.name != "monitor"]
    spec_form(rule, apply, "stop_rule", rule.kind, only=fields, redraws=section.redraws)


def _monitor(section: Section, rule: Watching, apply: Any) -> None:
    """Only what this training reports; what does not fit any more stays to be seen, and is refused in words."""
    scores = scores_for(state.experiment(), section.facts)
    known = scores if rule.monitor in scores else [rule.monitor, *scores]
    key = state.widget_key("stop_rule", type(rule).__name__, "monitor", *known)

    def watch() -> None:
        put(apply, key, "monitor", state.widget_value(key))
        st.rerun(section.redraws)

    st.selectbox(
        "Watched score", known, index=known.index(rule.monitor), format_func=words.metric_name, key=key,
        help=type(rule).model_fields["monitor"].description, on_change=watch,
    )  # fmt: skip


# Care


def care(section: Section) -> None:
    """Gradients, weights, targets, examples, numbers."""
    training = section.training
    _clipping(section)
    averaging = ("use_ema", "ema_momentum") if training.optimizer.use_ema else ("use_ema",)
    decay = () if isinstance(training.optimizer, AdamW) else ("weight_decay",)
    section.form(training.optimizer, "optimizer", (*decay, *averaging))
    section.form(training.loss, "loss", [field.name for field in options(type(training.loss)) if field.advanced])
    if section.facts.class_names:
        _class_weight(section)
    section.form(training, "", ("precision",))
    if training.precision != "float32":
        st.caption(
            "Without a GPU, 16 bits are usually slower than 32: on two CPU cores convolutions ran at a quarter of the "
            "speed, in bfloat16 at two thirds."
        )
    model = state.experiment().model
    spec_form(model, functools.partial(_change_model, section), "care", only=("weight_scale",), redraws=section.redraws)
    st.caption("L1, L2, initializer and gain of each layer stand in its card above, behind its settings.")


def optimizer_details(optimizer: Optimizer) -> list[str]:
    """The advanced fields of an optimizer that are its own."""
    return [field.name for field in options(type(optimizer)) if field.advanced and field.name not in CARE]


def _clipping(section: Section) -> None:
    optimizer = section.training.optimizer
    chosen = next((name for name in CLIPPING if getattr(optimizer, name) is not None), "")
    titles = {"": "None", **{name: Optimizer.model_fields[name].title for name in CLIPPING}}
    key = state.widget_key("care", "clipping")

    def choose() -> None:
        clip = {**dict.fromkeys(CLIPPING), **({name: 1.0} if (name := state.widget_value(key)) else {})}
        section.change("optimizer", changed(section.training.optimizer, **clip))
        st.rerun(section.redraws)

    st.selectbox(
        "Gradient clipping", list(titles), index=list(titles).index(chosen), format_func=titles.__getitem__, key=key,
        help="Shortens gradients that are too long, before the optimizer sees them: against steps that explode.",
        on_change=choose,
    )  # fmt: skip
    section.form(optimizer, "optimizer", (chosen,) if chosen else ())


def _class_weight(section: Section) -> None:
    weights = section.training.class_weight
    key = state.widget_key("care", "class_weight")
    choices = ("none", "balanced", OWN)
    chosen = OWN if isinstance(weights, tuple) else weights or "none"
    ones = (1.0,) * len(section.facts.class_names)

    def choose() -> None:
        section.change("class_weight", {"none": None, OWN: ones}.get(state.widget_value(key), "balanced"))
        st.rerun(section.redraws)

    st.selectbox(
        "Class weights", choices, index=choices.index(chosen), format_func=str.capitalize, key=key, on_change=choose,
        help=Training.model_fields["class_weight"].description,
    )  # fmt: skip
    if weights == "balanced":
        st.caption("Each class weighs n / (classes · its examples), counted in the training examples.")
    elif isinstance(weights, tuple):
        _own_weights(section, weights)
    if weights is not None:
        st.caption("The training loss is weighted; the validation loss and all scores are not.")


def _own_weights(section: Section, weights: tuple[float, ...]) -> None:
    names = section.facts.class_names
    for place, (name, weight) in enumerate(zip(names, weights, strict=False)):
        key = state.widget_key("care", "class_weight", place)

        def apply(_: str, value: float | None, place: int = place) -> None:
            section.change("class_weight", (*weights[:place], value or 0.0, *weights[place + 1 :]))

        def weigh(key: str = key, apply: Any = apply) -> None:
            put(apply, key, "class_weight", state.widget_value(key))
            st.rerun(section.redraws)

        st.number_input(
            f"Weight of {words.plain(name)}", 0.0, 1e6, weight, 0.1, format="%g", key=key, on_change=weigh,
            help="How much an example of this class counts in the training loss; 1 is what all count untouched.",
        )  # fmt: skip


def _change_model(section: Section, name: str, value: Any) -> None:
    def change(experiment: Any) -> Any:
        return changed(experiment, model=changed(experiment.model, **{name: value}))

    state.edit(section.lab, change)
