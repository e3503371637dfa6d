"""Which layers learn in which stage of a plan: as a table, and to be chosen one by one."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from playground.displays import words
from playground.errors import PlaygroundError
from playground.lab import Lab
from playground.spec import Experiment
from playground.spec.layers import BatchNormalization
from playground.spec.start import HeadOnly
from playground.spec.tuning import OUTPUT, layers_with_weights, stages
from playground.ui import state


def layers_that_learn(lab: Lab, experiment: Experiment, choose: Callable[[HeadOnly], None]) -> None:
    """A pill a layer, and a table of what learns when.

    Args:
        lab: asks Keras about shapes and parameters.
        experiment: starts from a base.
        choose: takes the plan in which just the chosen layers learn.
    """
    names, parts = layers_with_weights(experiment), stages(experiment)
    learning = [name for name in names if any(name in stage.layers for stage in parts)]
    key = state.widget_key("tuning", "layers", *learning)

    def chosen() -> None:
        picked = tuple(name for name in names if name in state.widget_value(key))
        state.complain(key, "" if picked else "No layer would learn. Choose one at least, or evaluate only.")
        if picked:
            choose(HeadOnly(layers=picked))

    st.pills(
        "Layers that learn", names, selection_mode="multi", default=learning, key=key, on_change=chosen,
        help="All others are frozen: they keep the base model's weights. A choice of your own is one stage.",
    )  # fmt: skip
    if problem := state.problem(key):
        st.markdown(f":red[:material/error: {problem}]")
    st.dataframe(_table(lab, experiment), hide_index=True, height="content", alt="Which layers learn in which stage")
    frozen = {name for name in names if any(name not in stage.layers for stage in parts)}
    if any(isinstance(layer, BatchNormalization) and layer.id in frozen for layer in experiment.model.layers):
        st.caption(
            "Frozen batch normalization stays in inference mode: it keeps the means and variances it learned. In "
            "training mode the few new examples would overwrite them, and every frozen layer after it would see "
            "numbers it was not made for."
        )


def _table(lab: Lab, experiment: Experiment) -> pd.DataFrame:
    learns, parameters = layers_with_weights(experiment), _parameters(lab, experiment)
    rows = []
    for name in [*(layer.id for layer in experiment.model.layers), OUTPUT]:
        told = {
            stage.name: ("learns" if name in stage.layers else "frozen") if name in learns else "–"
            for stage in stages(experiment)
        }
        rows.append({"Layer": name, **told, "Parameters": parameters.get(name, "–")})
    return pd.DataFrame(rows)


def _parameters(lab: Lab, experiment: Experiment) -> dict[str, str]:
    """How many Keras counts in each layer; none while nobody can be asked."""
    try:
        return {row.id: words.count(row.parameters) for row in lab.describe(experiment).rows}
    except PlaygroundError:
        return {}
