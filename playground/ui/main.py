"""The script that Streamlit runs for every page."""

from importlib import import_module

from playground.ui.warming import WARM

# Sessions that come while the process is warming up wait for it: imported by all at once, everything would take longer.
WARM.wait()
import_module("playground.ui.frame").draw_page()
