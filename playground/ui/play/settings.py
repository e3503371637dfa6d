"""The settings under the picture: those that reach the live network, and those that make another one."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.errors import PlaygroundError
from playground.lab import Lab, edits, play
from playground.spec import Experiment, changed
from playground.spec.data import Points
from playground.spec.orders import SetBatchSize, SetRate, SetSpeed
from playground.ui import state
from playground.ui.play import commands
from playground.ui.training_section import BATCHES

RATES = (0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear", "leaky_relu", "elu", "gelu", "silu", "softplus")
STRENGTHS = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
PENALTIES = ((0.0, 0.0), *((0.0, l2) for l2 in STRENGTHS), *((l1, 0.0) for l1 in STRENGTHS))
"""Factors of L1 and L2."""
SPEEDS = {
    1.0: "Slow motion",
    3.0: "3 epochs/s",
    10.0: "10 epochs/s",
    30.0: "30 epochs/s",
    100.0: "100 epochs/s",
    0.0: "Full speed",
}


def settings(lab: Lab) -> None:
    """All settings, side by side as far as they fit."""
    data = state.experiment().data
    with st.grid("auto", min_column_width=125, key="play_settings"):
        _of_training(lab)
        _of_layers(lab)
        if isinstance(data, Points):
            _noise(lab, data)
            _share(lab, data)


def _of_training(lab: Lab) -> None:
    training = state.experiment().training
    _choice(
        "Learning rate", RATES, training.optimizer.learning_rate, lambda rate: _rate(lab, rate), name=_short,
        help="How far each step goes. It applies to the live network from the next step on.",
    )  # fmt: skip
    _choice(
        "Batch size", BATCHES, training.batch_size, lambda size: _batch(lab, size),
        help="Examples per step. It applies to the live network from the next epoch on.",
    )  # fmt: skip
    _choice(
        "Speed", tuple(SPEEDS), commands.speed(), lambda speed: _speed(lab, speed), name=_speed_name,
        help="How many epochs a second are trained, to watch them; full speed is what the machine can.",
    )  # fmt: skip


def _of_layers(lab: Lab) -> None:
    experiment = state.experiment()
    _choice(
        "Activation", ACTIVATIONS, play.activation_of(experiment), lambda name: _hidden(lab, activation=name),
        help="The function that every hidden neuron applies to its sum. Another one makes a new network.",
    )  # fmt: skip
    _choice(
        "Regularization", PENALTIES, play.regularization_of(experiment),
        lambda pair: _hidden(lab, l1=pair[0], l2=pair[1]), name=_penalty_name,
        help="Adds factor × Σ|w| (L1) or factor × Σw² (L2) of the hidden layers to the loss: it keeps weights small.",
    )  # fmt: skip


def _choice(
    label: str, options: tuple[Any, ...], value: Any, choose: Callable[[Any], None], *, help: str,
    name: Callable[[Any], str] = str,
) -> None:  # fmt: skip
    key = state.widget_key("play", label, name(value))
    listed = options if value in options else (value, *options)

    def chosen() -> None:
        _guarded(choose, state.widget_value(key))

    st.selectbox(label, listed, listed.index(value), key=key, format_func=name, help=help, on_change=chosen)


def _noise(lab: Lab, data: Any) -> None:
    key = state.widget_key("play", "noise", data.kind)
    least = 0.05 if data.kind == "gaussians" else 0.0
    value = float(data.noise)

    def chosen() -> None:
        noise = state.widget_value(key)
        _guarded(lambda noise: commands.change(lab, lambda one: play.with_points(one, noise=noise)), noise)

    st.slider(
        "Noise", least, max(1.0, value), max(value, least), 0.01, key=key, on_change=chosen,
        help="Standard deviation of the Gaussian noise added to each point. Another one makes new points.",
    )  # fmt: skip


def _share(lab: Lab, data: Points) -> None:
    key = state.widget_key("play", "share")

    def chosen() -> None:
        share = state.widget_value(key) / 100
        _guarded(lambda share: commands.change(lab, lambda one: play.with_points(one, test_fraction=share)), share)

    st.slider(
        "Test share", 10, 80, min(max(round(100 * data.test_fraction), 10), 80), 5, format="%d%%", key=key,
        on_change=chosen, help="Share of all points that the network does not learn from, but is judged on.",
    )  # fmt: skip


def _guarded(act: Callable[[Any], None], value: Any) -> None:
    try:
        act(value)
    except (PlaygroundError, ValueError) as error:
        state.complain(commands.PLACE, str(error))
    else:
        state.complain(commands.PLACE, "")
    st.rerun(("play", "strip"))


def _rate(lab: Lab, rate: float) -> None:
    def change(experiment: Experiment) -> Experiment:
        return edits.with_training(experiment, optimizer=changed(experiment.training.optimizer, learning_rate=rate))

    state.edit(lab, change)
    commands.steer(lab, SetRate(learning_rate=rate))


def _batch(lab: Lab, size: Any) -> None:
    state.edit(lab, lambda experiment: edits.with_training(experiment, batch_size=size))
    commands.steer(lab, SetBatchSize(batch_size=size))


def _speed(lab: Lab, speed: float) -> None:
    state.keep(commands.SPEED, speed)
    commands.steer(lab, SetSpeed(epochs_per_second=speed or None))


def _hidden(lab: Lab, **values: Any) -> None:
    commands.change(lab, lambda experiment: play.with_hidden(experiment, **values))


def _short(rate: float) -> str:
    return f"{rate:g}"


def _speed_name(speed: float) -> str:
    return SPEEDS.get(speed) or f"{speed:g} epochs/s"


def _penalty_name(pair: tuple[float, float]) -> str:
    return " + ".join(f"{name} {factor:g}" for name, factor in zip(("L1", "L2"), pair, strict=True) if factor) or "None"
