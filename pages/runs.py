"""Runs: everything that was trained here, to open, go on with, or clear away."""

import streamlit as st

from playground.ui import resources
from playground.ui.run_table import choose_runs, run_actions, run_table

lab = resources.lab()

st.markdown("### Runs")
runs = choose_runs(lab)
if runs:
    run_actions(lab, run_table(lab, runs))
