"""What a person does in the playground's picture, carried out: each command of the component and its function."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from pydantic import ValidationError

from playground.errors import NotFound, PlaygroundError
from playground.lab import Lab, play
from playground.records import Run, RunStatus
from playground.spec import Experiment, changed, explain
from playground.spec.orders import OrderSpec, SetSpeed, SetWeight, Step
from playground.ui import state

PLACE = "play"
"""Where the page says what is wrong."""
WATCHING_SPEED = 10.0
"""Epochs a second with which everybody begins: fast enough not to bore, slow enough to see how it comes."""
SPEED, FALLBACK = "play.speed", "play.fallback"


def shown_run(lab: Lab) -> Run | None:
    """The run that the page shows: the one that is watched, if it trains the network on the bench."""
    run_id = state.run_id()
    if not run_id:
        return None
    try:
        run = lab.run(run_id)
    except NotFound:
        return None
    return run if play.is_same_network(run.experiment, state.experiment()) else None


def speed() -> float:
    """Epochs a second that this tab wants to see; 0: as many as possible."""
    wanted: float = state.kept(SPEED, WATCHING_SPEED)
    return wanted


def obey(lab: Lab, command: Mapping[str, Any]) -> None:
    """Carry out a command; what stands against it stands on the page."""
    said = ""
    try:
        COMMANDS[command["do"]](lab, command)
    except ValidationError as error:
        said = str(explain(error))
    except PlaygroundError as error:
        said = str(error)
    except (KeyError, TypeError, ValueError):
        said = "The page sent something that is not understood. Reload it."
    state.complain(PLACE, said)


def change(lab: Lab, edit: Callable[[Experiment], Experiment]) -> None:
    """Another network: a run of the one before ends, and the new one is shown untrained."""
    run = own_run(lab)
    state.edit(lab, edit)
    if run is not None and not play.is_same_network(run.experiment, state.experiment()):
        if not run.status.is_over:
            lab.stop(run.id)
        state.watch("")
        state.write_address()


def own_run(lab: Lab) -> Run | None:
    """The run that is shown, where this tab may control it."""
    run = shown_run(lab)
    return run if run is not None and state.may_control(run) else None


def steer(lab: Lab, order: OrderSpec) -> None:
    """Give an order to the run that is shown; before there is one there is nothing to tell."""
    run = own_run(lab)
    if run is not None and not run.status.is_over:
        lab.steering.order(run.id, order, state.owner())


def _held_run(lab: Lab) -> Run:
    """The run that is shown, paused; a new one that waits paused where there is none that this tab may control."""
    run = own_run(lab)
    if run is None:
        return _launch(lab, held=True)
    if run.status is not RunStatus.PAUSED and not run.status.is_over:
        lab.steering.pause(run.id)
    return run


def _launch(lab: Lab, *, held: bool = False) -> Run:
    run = state.launch(lab, held=held)
    state.write_address()
    if speed():
        lab.steering.order(run.id, SetSpeed(epochs_per_second=speed()), state.owner())
    return run


def _play(lab: Lab, command: Mapping[str, Any]) -> None:
    run = own_run(lab)
    if run is None:
        _launch(lab)
    elif run.status.is_over:
        lab.resume(run.id, more_epochs=run.experiment.training.epochs if run.status is RunStatus.DONE else 0)
    else:
        lab.steering.go_on(run.id)


def _pause(lab: Lab, command: Mapping[str, Any]) -> None:
    if run := own_run(lab):
        lab.steering.pause(run.id)


def _step_batch(lab: Lab, command: Mapping[str, Any]) -> None:
    lab.steering.order(_held_run(lab).id, Step(unit="batch"), state.owner())


def _step_epoch(lab: Lab, command: Mapping[str, Any]) -> None:
    lab.steering.order(_held_run(lab).id, Step(unit="epoch"), state.owner())


def _rewind(lab: Lab, command: Mapping[str, Any]) -> None:
    if own_run(lab):
        lab.steering.rewind(_held_run(lab).id, 0, state.owner())


def _seed(lab: Lab, command: Mapping[str, Any]) -> None:
    seed = secrets.randbelow(100_000)  # another one than anybody would guess, and still short enough to write down
    change(lab, lambda experiment: changed(experiment, seed=seed))


def _weight(lab: Lab, command: Mapping[str, Any]) -> None:
    order = SetWeight(**{name: value for name, value in command.items() if name != "do"})
    run = own_run(lab) or _launch(lab, held=True)
    lab.steering.order(run.id, order, state.owner())


def _layers(lab: Lab, command: Mapping[str, Any]) -> None:
    wanted = [(str(name), None if units is None else int(units)) for name, units in command["layers"]]
    change(lab, lambda experiment: play.with_units(experiment, wanted))


def _features(lab: Lab, command: Mapping[str, Any]) -> None:
    change(lab, lambda experiment: play.with_points(experiment, features=command["features"]))


def _data(lab: Lab, command: Mapping[str, Any]) -> None:
    change(lab, lambda experiment: play.with_kind(experiment, command["kind"]))


def _fallback(lab: Lab, command: Mapping[str, Any]) -> None:
    state.keep(FALLBACK, True)
    st.rerun()  # the page's pace is set where its fragment is made


COMMANDS: dict[str, Callable[[Lab, Mapping[str, Any]], None]] = {
    "play": _play,
    "pause": _pause,
    "step-batch": _step_batch,
    "step-epoch": _step_epoch,
    "rewind": _rewind,
    "seed": _seed,
    "weight": _weight,
    "layers": _layers,
    "features": _features,
    "data": _data,
    "fallback": _fallback,
}
"""Every command, by the name that the component gives it."""
