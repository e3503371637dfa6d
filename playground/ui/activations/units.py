"""The units over many examples: distributions, dead and saturated ones, and what drives a unit highest."""

import numpy as np
import pandas as pd
import streamlit as st

from playground.displays.tiles import image_html, signed
from playground.displays.trying import enlarged
from playground.displays.units import Distribution, UnitsOverExamples
from playground.lab import Lab
from playground.spec.probes import Strongest, Units
from playground.spec.saved import Saved
from playground.ui import figure
from playground.ui.activations.asking import section
from playground.ui.inputs import PARTS, called, white_of
from playground.ui.looking import Looked


def show_units(lab: Lab, looked: Looked) -> None:
    """All layers over a split, then one of them more closely."""
    st.markdown("#### Over many examples")
    section(looked, "activations_units", _units, lab, looked)


def _units(lab: Lab, looked: Looked) -> None:
    facts = lab.facts(looked.experiment.data)
    parts = [part for part in PARTS if getattr(facts, part)]
    part = st.segmented_control(
        "Examples", parts, default=parts[0], required=True, format_func=PARTS.__getitem__, key="activations_part",
        help="256 examples, spread evenly over the split.", persist_state="session",
    )  # fmt: skip
    found = UnitsOverExamples.from_answer(lab.probe(looked.saved, Units(part=part)))
    st.dataframe(
        _table(found), hide_index=True, column_config=_COLUMNS, height="content",
        alt="Distribution of each layer's output, with its dead and saturated units",
    )  # fmt: skip
    st.caption(found.summary())
    names = [layer.id for layer in found.layers]
    layer = st.selectbox(
        "Layer", names, key=f"activations_layer_{looked.id}", help="The layer that is looked at more closely below."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _distribution(lab, looked, part, found, layer)
    with right:
        _strongest(lab, looked, part, layer, found.layer(layer).units)


def _table(found: UnitsOverExamples) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Layer": [layer.id for layer in found.layers],
            "Kind": [layer.kind for layer in found.layers],
            "Distribution": [np.sqrt(layer.shares).tolist() for layer in found.layers],
            "Mean": [layer.mean for layer in found.layers],
            "σ": [layer.std for layer in found.layers],
            "Least": [layer.minimum for layer in found.layers],
            "Largest": [layer.maximum for layer in found.layers],
            "Zeros": [100 * layer.zeros for layer in found.layers],
            "Units": [layer.units for layer in found.layers],
            "Idle": [layer.idle_count() for layer in found.layers],
        }
    )


_COLUMNS = {
    "Distribution": st.column_config.BarChartColumn(
        "Distribution",
        y_min=0,
        y_max=1,
        help="From the least to the largest output; heights are square roots of shares, so that rare values are seen.",
    ),
    "Zeros": st.column_config.NumberColumn("Zeros", format="%.1f%%", help="Share of outputs that are exactly 0."),
    "Units": st.column_config.NumberColumn("Units", format="localized", help="Outputs, or channels of a picture."),
    "Idle": st.column_config.TextColumn(
        "Idle units",
        help="Dead: behind a relu, and 0 for every example. Saturated: at least 95% of the outputs lie within 0.01 of "
        "an end of tanh, softsign or sigmoid. Other layers have neither, and the output layer is not judged.",
    ),
} | {name: st.column_config.NumberColumn(name, format="%.3g") for name in ("Mean", "σ", "Least", "Largest")}


def _distribution(lab: Lab, looked: Looked, part: str, found: UnitsOverExamples, layer: str) -> None:
    through = st.toggle(
        "Through the epochs", key="activations_through", persist_state="session",
        help="The same for each epoch whose weights were kept.",
    )  # fmt: skip
    if not through:
        now = found.layer(layer)
        figure.show(Distribution([now], [looked.saved.epoch or 0]).plot(), key="activations_distribution")
        return
    epochs = lab.kept_epochs(looked.id)
    with st.spinner("Looking at the kept epochs"):
        each = [lab.probe(Saved(run=looked.id, epoch=epoch), Units(part=part)) for epoch in epochs]
    layers = [UnitsOverExamples.from_answer(answer).layer(layer) for answer in each]
    figure.show(Distribution(layers, epochs).plot(), key="activations_epochs")


def _strongest(lab: Lab, looked: Looked, part: str, layer: str, units: int) -> None:
    unit = st.number_input(
        "Unit", 0, units - 1, 0, key=f"activations_unit_{looked.id}_{layer}",
        help=f"One of the {units:,} units of the layer; for pictures the channel, which counts with its largest value.",
    )  # fmt: skip
    found = lab.probe(looked.saved, Strongest(part=part, layer=layer, unit=int(unit)))
    st.markdown(f"##### Strongest examples of unit {unit} of {layer}")
    facts = lab.facts(looked.experiment.data)
    labels = [called(target, facts) for target in found["targets"]]
    if facts.family == "images":
        figures = (
            f"<figure>{image_html(enlarged(x, white_of(looked.experiment), 84), label)}"
            f"<figcaption>{label}<br>{signed(float(value))}</figcaption></figure>"
            for x, label, value in zip(found["x"], labels, found["values"], strict=True)
        )
        st.html(f'<div class="strongest">{"".join(figures)}</div>')
    else:
        names = facts.feature_names
        table = pd.DataFrame(found["x"], columns=names)
        table.insert(0, "Output", found["values"])
        table.insert(1, facts.target_name.capitalize(), labels)
        st.dataframe(table, hide_index=True, alt=f"Examples that drive unit {unit} of {layer} highest")
    st.caption(
        f"Of {found['examples']:,} {PARTS[part].lower()} examples those with the largest output, from "
        f"{signed(float(found['values'][0]))} down to {signed(float(found['values'][-1]))}."
    )
