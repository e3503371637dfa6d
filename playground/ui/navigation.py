"""Where the pages are."""

from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).resolve().parents[2] / "pages"
HOME, BUILD, EVALUATE, RUNS = (str(_PAGES / f"{name}.py") for name in ("home", "build", "evaluate", "runs"))

ABOUT_EXPERIMENT = ("build", "evaluate")
"""Pages under the experiment strip, by their place in the address."""


def pages() -> dict[str, list[st.Page]]:
    """The story a person follows, as the side bar shows it."""
    return {
        "Start": [st.Page(HOME, title="Home", icon=":material/home:", url_path="home", default=True)],
        "Build": [st.Page(BUILD, title="Build & train", icon=":material/layers:", url_path="build")],
        "Judge": [
            st.Page(EVALUATE, title="Evaluate", icon=":material/fact_check:", url_path="evaluate"),
            st.Page(RUNS, title="Runs", icon=":material/list:", url_path="runs"),
        ],
    }
