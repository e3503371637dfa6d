"""Figures on the page: the chart, and under it what it says in words."""

from typing import Any

import streamlit as st

from playground.displays.figure import Figure
from playground.displays.surface import DecisionSurface

# Packaged (pyproject.toml names its folder), so that the browser loads the script once; inline it would travel with
# every picture.
_surface = st.components.v2.component(
    "playground.surface", html='<canvas role="img" tabindex="0"></canvas>', css="surface.css", js="surface.js"
)


def show(figure: Figure, *, key: str, title: bool = True) -> None:
    """A Vega-Lite chart with what it says; under the same key it stays in place while its data changes."""
    if title:
        st.markdown(f"##### {figure.title}")
    st.vega_lite_chart(figure.data, figure.spec, key=key, alt=figure.alt, width="stretch")
    st.caption(figure.summary)


def show_surface(surface: DecisionSurface, *, key: str) -> None:
    """The live decision surface with the examples on it."""
    _surface(key=key, data=surface.packed, height="content")
    st.caption(f"{surface.summary()} Filled marks are training examples, hollow ones are held out.")


def show_plotly(figure: Any, *, key: str, alt: str, summary: str = "") -> None:
    """A still figure with a legend that switches curves on and off."""
    config = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
    st.plotly_chart(figure, key=key, config=config, alt=alt, width="stretch")
    if summary:
        st.caption(summary)
