"""What one does with a run while it is under way: pause, step, change what comes, and go back."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from pydantic import ValidationError

from playground.displays import orders, words
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.records import Ordered, Run, RunStatus
from playground.spec import changed, explain
from playground.spec.orders import Freeze, Order, SetBatchSize, SetEpochs, SetRate, SetSpeed, Step
from playground.spec.tuning import layers_with_weights
from playground.ui import state
from playground.ui.errors import guarded
from playground.ui.spec_form import spec_form
from playground.ui.training_section import batch_size

PACE = 1.0
"""Seconds between two looks at how the run stands; whoever presses sees at once what was asked."""
PLACE = "steering"
Given = TypeVar("Given", bound=Order)


def steering_row(lab: Lab, run: Run | None) -> None:
    """The buttons, in a fragment of their own; where the run ends or begins anew, it has the whole page drawn again."""
    is_live = run is not None and not run.status.is_over
    st.fragment(guarded(_row), run_every=state.pace(PACE) if is_live else None, key="steering")(
        lab, run and run.id, run and _standing(run)
    )


def _standing(run: Run) -> object:
    """What the rest of the page depends on. A pause is not in it: it is asked for and seen here."""
    return run.attempt, run.status.is_over


def _row(lab: Lab, run_id: str | None, drawn: object) -> None:
    # The look that all share, like the page's own: forty who watch read the store once.
    moment = lab.follow(run_id) if run_id else None
    run = moment.run if moment else None
    steers = run is not None and not run.status.is_over and state.may_control(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="steering_row"):
        _pause(lab, run if steers else None)
        _step(lab, run if steers else None)
        change = st.popover(
            "Change", icon=":material/tune:", type="tertiary", disabled=not steers, on_change="rerun", key="change"
        )
        back = st.popover(
            "Rewind", icon=":material/history:", type="tertiary", on_change="rerun", key="rewind",
            disabled=run is None or run.status is RunStatus.QUEUED or not state.may_control(run),
        )  # fmt: skip
    # A line that is always there: nothing jumps when there is something to say.
    given = moment.ordered if moment else ()
    st.caption(_in_words(given[-1]) if given else "A live run can be paused and changed; each change says from when.")
    if problem := state.problem(PLACE):
        st.error(problem, icon=":material/error:")
    if run is not None and steers and change.open:
        with change:
            _changes(lab, run)
    if run is not None and back.open:
        with back:
            _kept_epochs(lab, run)
    if run is not None and _standing(run) != drawn:
        st.rerun()


def _in_words(given: Ordered) -> str:
    says = orders.says(given)
    if given.refusal:
        return f"{says}: refused. {given.refusal}"
    return f"{says}, from step {given.step:,}" if given.step is not None else f"{says}: {type(given.order).when}"


def _pause(lab: Lab, run: Run | None) -> None:
    if run is None or not run.controls.pause:
        st.button(
            "Pause", icon=":material/pause:", key="pause", disabled=run is None, on_click=_ask,
            args=(lab, lab.steering.pause, run and run.id),
            help="Holds everything where it is, in a fifth of a second. After a minute its worker is free for others.",
        )  # fmt: skip
        return
    st.button(
        "Go on", icon=":material/play_arrow:", key="go_on", on_click=_ask,
        args=(lab, lab.steering.go_on, run.id),
        help="Goes on where it paused, as if it had never been interrupted.",
    )  # fmt: skip
    if run.status is RunStatus.RUNNING:
        st.caption("Pausing…", width="content")


def _step(lab: Lab, run: Run | None) -> None:
    waits = run is not None and run.controls.pause
    for unit, icon in (("batch", "skip_next"), ("epoch", "fast_forward")):
        st.button(
            f"+1 {unit}", icon=f":material/{icon}:", key=f"step_{unit}", type="tertiary", disabled=not waits,
            on_click=_order, args=(lab, run and run.id, Step(unit=unit)),  # type: ignore[arg-type]
            help="One step of the optimizer, while paused." if unit == "batch" else "To the end of an epoch, paused.",
        )  # fmt: skip


def _changes(lab: Lab, run: Run) -> None:
    """A form an order, with what holds now in it."""
    st.caption("Whoever changes something last has the last word. Every change is noted with the run.")
    training, progress = run.experiment.training, run.progress
    for order in (
        SetRate(learning_rate=progress.rate or training.optimizer.learning_rate),
        SetEpochs(epochs=progress.epochs or training.epochs),
        _newest(lab, run.id, SetSpeed(epochs_per_second=None)),
    ):
        _form(lab, run, order)
    _batch_size(lab, run, _newest(lab, run.id, SetBatchSize(batch_size=training.batch_size)).batch_size)
    _freeze(lab, run, _newest(lab, run.id, Freeze(layers=())).layers)


def _newest(lab: Lab, run_id: str, first: Given) -> Given:
    """The newest order of this kind that was not refused; without one ``first``, which says what held before."""
    given = [one.order for one in lab.steering.orders(run_id) if not one.refusal]
    return [first, *(order for order in given if isinstance(order, type(first)))][-1]


def _form(lab: Lab, run: Run, order: Order) -> None:
    def apply(name: str, value: Any) -> None:
        lab.steering.order(run.id, changed(order, **{name: value}), state.owner())  # type: ignore[arg-type]
        lab.follow(run.id, fresh=0)

    # Named by what holds now: when somebody else changes it, the form shows that.
    spec_form(order, apply, "steering", run.id, order.model_dump_json(), show="all", redraws="steering")


def _batch_size(lab: Lab, run: Run, size: int | str) -> None:
    batch_size(
        state.widget_key("steering", run.id, "batch_size", size), size,
        lambda chosen: _give(lab, run.id, lambda: SetBatchSize(batch_size=chosen)),  # type: ignore[arg-type]
        help="Examples per step, from the next epoch on; full: all of them. Type any number.",
    )  # fmt: skip


def _freeze(lab: Lab, run: Run, frozen: tuple[str, ...]) -> None:
    key = state.widget_key("steering", run.id, "freeze", *frozen)

    def choose() -> None:
        _give(lab, run.id, lambda: Freeze(layers=tuple(state.widget_value(key))))

    st.multiselect(
        "Frozen layers", list(layers_with_weights(run.experiment)), default=list(frozen), key=key, on_change=choose,
        placeholder="None: all layers learn", help="They keep their weights from the next step on.",
    )  # fmt: skip


def _kept_epochs(lab: Lab, run: Run) -> None:
    kept = [epoch for epoch in lab.kept_epochs(run.id) if epoch < run.progress.epoch]
    if not kept:
        st.caption("No earlier epoch is kept yet. Weights are kept as the training goes, twelve epochs at most.")
        return
    key = state.widget_key("steering", run.id, "rewind")
    st.selectbox(
        words.epochs_label("Kept epoch", kept, run.best_epoch), kept[::-1], key=key,
        help="Weights, optimizer and curves go back there, and the run pauses or goes on as before.",
    )  # fmt: skip
    st.button(
        "Go back", icon=":material/history:", key="go_back", type="primary",
        on_click=lambda: _ask(
            lab, lambda id: lab.steering.rewind(id, int(state.widget_value(key)), state.owner()), run.id
        ),
        help="Forgets what came after that epoch.",
    )  # fmt: skip


def _order(lab: Lab, run_id: str, order: Any) -> None:
    _ask(lab, lambda id: lab.steering.order(id, order, state.owner()), run_id)


def _give(lab: Lab, run_id: str, make: Callable[[], Any]) -> None:
    """Give an order that a person typed, or say what is wrong with it.

    What was asked for already is not asked for again: Streamlit tells of a choice two or three times where the next
    press comes within a tenth of a second.
    """
    try:
        order = make()
    except ValidationError as error:
        state.complain(PLACE, str(explain(error)))
    else:
        if [one.order for one in lab.steering.orders(run_id) if type(one.order) is type(order)][-1:] != [order]:
            _order(lab, run_id, order)


def _ask(lab: Lab, ask: Callable[[str], object], run_id: str) -> None:
    try:
        ask(run_id)
        lab.follow(run_id, fresh=0)  # what was asked is to be seen at once
    except PlaygroundError as error:
        state.complain(PLACE, str(error))
    else:
        state.complain(PLACE, "")
