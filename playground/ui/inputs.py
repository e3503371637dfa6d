"""One input for a network: an example of its data, a drawing, an upload, or values set by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.data import pictures
from playground.data.features import features_of
from playground.data.scaling import WHITE
from playground.displays import words
from playground.displays.trying import enlarged
from playground.lab import Lab
from playground.spec import DataFacts, Experiment
from playground.spec.data import Points
from playground.spec.probes import Example, Ranges
from playground.spec.saved import Saved
from playground.ui import state
from playground.ui.errors import guarded

PARTS = {"test": "Test", "validation": "Validation", "train": "Training"}

# Packaged (pyproject.toml names its folder), so that the browser loads the script once.
_pad = st.components.v2.component(
    "playground.pad",
    html="""
    <div class="pad">
      <canvas role="img" tabindex="0" data-empty="Draw here" aria-describedby="how"
        aria-label="Drawing pad"></canvas>
      <div class="bar">
        <button type="button">Undo stroke</button><button type="button">Clear</button>
      </div>
      <p class="spoken" id="how">Draw with mouse, finger or pen. With the keyboard the arrow keys move the pen, Space
        puts it down and lifts it, Backspace takes back the last stroke, Delete clears the pad.</p>
    </div>
    """,
    css="pad.css",
    js="pad.js",
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """An input that a person chose."""

    x: NDArray[Any]
    """(1, *input_shape) in the data set's own units: uint8 for pictures, else float64."""
    label: str
    """What it is, such as "test example 12" or "your drawing"."""
    target: int | float | None = None
    """Its class index or number, where it is known."""


@dataclass(frozen=True)
class _Asked:
    """For whom an input is chosen, and the name under which this session keeps the choice."""

    lab: Lab
    experiment: Experiment
    saved: Saved
    facts: DataFacts
    key: str


def choose_input(lab: Lab, experiment: Experiment, saved: Saved, *, key: str = "input") -> Chosen | None:
    """One input for the network of an experiment; None as long as nothing is chosen.

    What was chosen stays for the session: pages that give the same ``key`` share it.

    Args:
        lab: answers where examples are.
        experiment: what the network was trained by.
        saved: its weights.
        key: begins the names of all widgets.
    """
    kind = experiment.data.kind
    asked = _Asked(lab, experiment, saved, lab.facts(experiment.data), f"{key}.{kind}")
    sources = _SOURCES[experiment.data.family]
    source = st.segmented_control(
        "Input", list(sources), default=next(iter(sources)), required=True, key=f"{key}.source.{kind}",
        help="What the network is to look at.", persist_state="session",
    )  # fmt: skip
    return guarded(sources[source])(asked)


def _example(asked: _Asked) -> Chosen | None:
    facts = asked.facts
    parts = [part for part in PARTS if getattr(facts, part)]
    left, right = st.columns([3, 2])
    with left:
        part = st.segmented_control(
            "Split", parts, default=parts[0], required=True, format_func=PARTS.__getitem__, key=f"{asked.key}.part",
            help="The network learned from the training examples; the others it has not seen.",
            persist_state="session",
        )  # fmt: skip
    count = getattr(facts, part)
    with right:
        index = st.number_input(
            "Example", 0, count - 1, 0, key=f"{asked.key}.index.{part}", persist_state="session",
            help=f"Its place in the split, from 0 to {count - 1:,}.",
        )  # fmt: skip
    found = asked.lab.probe(asked.saved, Example(part=part, index=int(index)))
    chosen = Chosen(np.asarray(found["x"]), f"{PARTS[part].lower()} example {index:,}", found["y"])
    _show(asked, chosen, called(chosen.target, facts))
    return chosen


def called(target: float | None, facts: DataFacts) -> str:
    """A target in words: the name of its class, or the number with what it is; empty where there is none."""
    if target is None:
        return ""
    return facts.class_names[int(target)] if facts.class_names else f"{facts.target_name} {words.score(target)}"


def _show(asked: _Asked, chosen: Chosen, caption: str) -> None:
    """The input as the data set has it."""
    family, x = asked.experiment.data.family, chosen.x[0]
    if family == "images":
        alt = f"{chosen.label}: {caption}" if caption else chosen.label
        with st.container(key="pixels_input"):
            st.image(enlarged(x, white_of(asked.experiment)), caption=caption or None, alt=alt)
    elif family == "table":
        table = pd.DataFrame({"Feature": asked.facts.feature_names, "Value": x})
        st.dataframe(table, hide_index=True, height=240, alt=f"The values of {chosen.label}")
        st.caption(caption)
    else:
        values = zip(asked.facts.feature_names, x, strict=True)
        st.caption(f"{', '.join(f'{name} = {value:.3f}' for name, value in values)}: {caption}")


def white_of(experiment: Experiment) -> float:
    """The largest value that a pixel of its data set can have."""
    return WHITE.get(type(experiment.data), 255.0)


def _drawing(asked: _Asked) -> Chosen | None:
    name = f"{asked.key}.strokes"
    drawn, prepared = st.columns([3, 2])
    with drawn:
        begun = {"strokes": state.kept(name, []), "pen": pictures.PEN}
        pad = _pad(key=f"{asked.key}.pad", data=begun, on_strokes_change=lambda: None)
        if pad.strokes is not None:
            state.keep(name, pad.strokes)
    if not (strokes := state.kept(name, [])):
        return None
    with prepared:
        return _prepared(asked, pictures.draw(strokes), "your drawing")


def _prepared(asked: _Asked, picture: NDArray[np.uint8], label: str) -> Chosen:
    """A person's picture in the form of the data set, and a look at it: a network sees this, and nothing else."""
    prepared = pictures.prepare(picture, asked.experiment.data, asked.facts.input_shape)
    chosen = Chosen(prepared.x, label)
    _show(asked, chosen, "What the network receives")
    for note in prepared.notes:
        st.caption(note)
    return chosen


def _upload(asked: _Asked) -> Chosen | None:
    name = f"{asked.key}.upload"
    file = st.file_uploader(
        "Picture", ["png", "jpg", "jpeg", "bmp", "gif", "webp"], key=f"{asked.key}.file", max_upload_size=10,
        help="PNG, JPEG, BMP, GIF or WebP, at most 10 MB and 25 million pixels. It is cut and scaled to the size that "
        "the network takes.",
    )  # fmt: skip
    if file is not None:
        state.keep(name, pictures.read(file.getvalue()))
    picture = state.kept(name)
    return None if picture is None else _prepared(asked, picture, "your picture")


def _values(asked: _Asked) -> Chosen:
    """Sliders between the least and the largest value in the training examples."""
    found = asked.lab.probe(asked.saved, Ranges())
    x = np.array(found["typical"], np.float64)
    data = asked.experiment.data
    names = ("x", "y") if isinstance(data, Points) else asked.facts.feature_names
    with st.grid("auto" if len(x) > 3 else 1, min_column_width=170, key="values"):
        for index, name in enumerate(names):
            low, high = float(found["low"][index]), float(found["high"][index])
            x[index] = _value(name, low, high, x[index], f"{asked.key}.{index}")
    given = x[np.newaxis]
    return Chosen(features_of(given, data.features) if isinstance(data, Points) else given, "your values")


def _value(name: str, low: float, high: float, typical: float, key: str) -> float:
    """One feature."""
    if high <= low:
        st.caption(f"{name} is {low:.4g} in every training example.")
        return low
    step, written = _steps(high - low)
    value: float = st.slider(
        name, low, high, float(np.clip(typical, low, high)), step, written, key=key, persist_state="session",
        help=f"Training examples have {low:.4g} to {high:.4g}; it begins at a typical one.",
    )  # fmt: skip
    return value


def _steps(width: float) -> tuple[float, str]:
    """Step of a slider over a range, a power of ten of about a hundredth of it, and how to write its values."""
    power = int(np.floor(np.log10(width / 50))) if width > 0 else 0
    return 10.0**power, f"%.{max(-power, 0)}f"


_SOURCES: dict[str, dict[str, Callable[[_Asked], Chosen | None]]] = {
    "images": {"An example": _example, "Draw": _drawing, "Upload": _upload},
    "table": {"Values": _values, "An example": _example},
    "points": {"Values": _values, "An example": _example},
}
"""Where an input can come from, for each family of data."""
