"""Where the pages are, in the order of the story that a person follows."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

_FOLDER = Path(__file__).resolve().parents[2] / "pages"


class Place(NamedTuple):
    """A page as the side bar shows it; ``name`` is its file and its place in the address."""

    name: str
    section: str
    title: str
    icon: str
    about_experiment: bool = False
    """It stands under the experiment strip."""

    def page(self) -> st.Page:
        """The page, to link or to switch to: a new object each time, for Streamlit keeps a session's state in it."""
        return st.Page(
            _FOLDER / f"{self.name}.py", title=self.title, icon=self.icon, url_path=self.name, default=self == HOME
        )


HOME = Place("home", "Start", "Home", ":material/home:")
PLAY = Place("play", "Build", "Playground", ":material/bubble_chart:", about_experiment=True)
BUILD = Place("build", "Build", "Build & train", ":material/layers:", about_experiment=True)
GRADIENTS = Place("gradients", "Look inside", "Gradients", ":material/ssid_chart:", about_experiment=True)
ACTIVATIONS = Place("activations", "Look inside", "Activations", ":material/grid_view:", about_experiment=True)
EVALUATE = Place("evaluate", "Judge", "Evaluate", ":material/fact_check:", about_experiment=True)
RUNS = Place("runs", "Judge", "Runs", ":material/list:")
FINE_TUNE = Place("fine_tune", "Reuse", "Fine-tune", ":material/model_training:")
TRY = Place("try_it", "Reuse", "Try it", ":material/draw:")
MODELS = Place("models", "Reuse", "Models", ":material/inventory_2:")
PLACES = (HOME, PLAY, BUILD, GRADIENTS, ACTIVATIONS, EVALUATE, RUNS, FINE_TUNE, TRY, MODELS)


def choose_page() -> tuple[st.Page, Place]:
    """Show the side bar; the page that the address names, and its place."""
    sections: dict[str, list[st.Page]] = {}
    for place in PLACES:
        sections.setdefault(place.section, []).append(place.page())
    page = st.navigation(sections)
    return page, next((place for place in PLACES if place.name == page.url_path), HOME)
