"""What one does with the experiment as a whole: take an edit back, share it, take it along."""

import streamlit as st

from playground.lab import Lab
from playground.spec import changed
from playground.ui import state
from playground.ui.errors import guarded


def experiment_buttons(lab: Lab) -> None:
    """Undo, a link to share, the experiment as JSON."""
    st.fragment(guarded(_buttons), key="bench")(lab)


def _buttons(lab: Lab) -> None:
    experiment = state.experiment()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bench_buttons"):
        name = state.widget_key("experiment", "name")
        st.text_input(
            "Name", experiment.name, key=name, placeholder=f"My {type(experiment.data).label}", max_chars=80,
            label_visibility="collapsed", width="stretch", help="What people see in lists.",
            on_change=_rename, args=(lab, name),
        )  # fmt: skip
        st.button(
            "Undo", icon=":material/undo:", type="tertiary", disabled=not state.can_undo(), key="undo",
            on_click=_undo, args=(lab,),
        )  # fmt: skip
        share = st.popover("Share", icon=":material/share:", type="tertiary", on_change="rerun", key="share")
        if share.open:
            with share:
                _links(lab)
        st.download_button(
            "JSON", experiment.model_dump_json(indent=2), "experiment.json", "application/json",
            icon=":material/download:", type="tertiary", key="experiment_json", on_click="ignore",
            help="The whole experiment as text, for the command line: python -m playground train experiment.json",
        )  # fmt: skip


def _rename(lab: Lab, key: str) -> None:
    state.edit(lab, lambda experiment: changed(experiment, name=state.widget_value(key)))


def _undo(lab: Lab) -> None:
    state.undo(lab)
    st.rerun()


def _links(lab: Lab) -> None:
    st.caption("Whoever opens this link gets the experiment as it is now. Their first edit makes a copy of their own.")
    st.code(f"{state.page_address()}?experiment={lab.share(state.experiment())}", language=None, wrap_lines=True)
    if state.run_id():
        st.caption("And this one shows the run, without the right to stop it.")
        st.code(f"{state.page_address()}?run={state.run_id()}", language=None, wrap_lines=True)
