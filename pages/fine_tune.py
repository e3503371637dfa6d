"""Fine-tune: a saved model goes on, or learns something new; on the left the plan, on the right what came of it."""

import streamlit as st

from playground.ui import resources, tuning

lab = resources.lab()
experiment = tuning.choose_base(lab)

if experiment is not None:
    with st.container(key="bench_live" if tuning.is_shown(lab) else "bench"):
        choices, happening = st.columns([5, 7], gap="medium")
    with choices:
        st.markdown("#### Data")
        tuning.data_section(lab, experiment)
        st.markdown("#### Plan")
        tuning.plan_section(lab, experiment)
        tuning.start_section(lab, experiment)
    with happening:
        tuning.outcome(lab)
