"""What stands around every page: address, navigation, side bar, strip."""

from pathlib import Path

import streamlit as st

from playground.ui import resources, state
from playground.ui.errors import guarded, show_error
from playground.ui.navigation import PLAY, choose_page
from playground.ui.sidebar import sidebar
from playground.ui.strip import strip

FRONTEND = Path(__file__).with_name("frontend")
STYLE, ICON = FRONTEND / "page.css", FRONTEND / "icon.svg"


def draw_page() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Keras Playground", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    page, place = choose_page()
    try:
        lab = resources.lab()
    except Exception as error:  # without a store there is nothing else to show
        show_error(error)
        return
    state.follow_address(lab, keep=place.about_experiment)
    if missing := state.missing():
        st.warning(missing, icon=":material/link_off:")
    sidebar(lab)
    if place.about_experiment:
        strip(lab, trains=place is not PLAY)
    guarded(page.run)()
