"""What one browser tab is looking at. The only home of session keys and of the address bar.

The address names what is shown, so that a refresh, another browser or a link shows the same::

    ?draft=…        a draft of one's own: whoever holds its id may edit it
    ?experiment=…   a shared experiment: nobody can change it, the first edit forks a draft
    ?run=…          a run to watch; without a draft its experiment is shown, and forks at the first edit as well
    ?model=…        a model of the library to look into, instead of the run

Streamlit clears the address when a page is chosen in the side bar; :func:`follow_address` puts it back.
"""

import random
from collections.abc import Callable, Container
from typing import Any

import streamlit as st

from playground.errors import NotFound
from playground.lab import Lab
from playground.recipes import recipe
from playground.records import Description, Run
from playground.spec import Experiment
from playground.ui.cookie import OWNER_COOKIE

MAX_UNDO = 50
KINDS = ("draft", "experiment", "run", "model")
TRAIN = "train"
"""The place of what stands against training."""

_EXPERIMENT, _DRAFT, _SHARED, _RUN = "design.experiment", "design.draft", "design.shared", "watch.run"
_MODEL = "watch.model"
_PAST, _REVISION, _PROBLEMS, _DESCRIPTION = "design.past", "design.revision", "design.problems", "design.description"
_MISSING, _WRITTEN = "address.missing", "address.written"
_PACE = "watch.pace"


def experiment() -> Experiment:
    """The experiment on the bench."""
    if _EXPERIMENT not in st.session_state:
        st.session_state[_EXPERIMENT] = recipe("spirals").experiment
    found: Experiment = st.session_state[_EXPERIMENT]
    return found


def run_id() -> str | None:
    """The run that is watched."""
    return st.session_state.get(_RUN)


def model_id() -> str:
    """The model of the library that is looked into instead of a run; empty if none."""
    found: str = st.session_state.get(_MODEL, "")
    return found


def draft_id() -> str:
    """The draft that is edited; empty before the first edit."""
    return st.session_state.get(_DRAFT, "")


def owner() -> str:
    """Who this browser is, by a cookie of our own: runs are fairly queued among owners."""
    return st.context.cookies.get(OWNER_COOKIE, "")


def may_control(run: Run) -> bool:
    """Whether this tab may stop, resume or delete a run: its owner may, and whoever holds its draft."""
    return run.owner in ("", owner()) or (bool(run.draft) and run.draft == draft_id())


def follow_address(lab: Lab, *, keep: bool) -> None:
    """Show what the address names; with ``keep``, name what is shown where the address does not."""
    asked = {name: st.query_params[name] for name in KINDS if name in st.query_params}
    if asked != st.session_state.get(_WRITTEN):  # else it only repeats what we wrote, and may be behind
        try:
            _follow(lab, asked)
        except NotFound as error:
            st.session_state[_MISSING] = str(error)
            st.query_params.clear()
    if keep:
        write_address()


def _follow(lab: Lab, asked: dict[str, str]) -> None:
    draft, shared, run_asked, model = (asked.get(name, "") for name in KINDS)
    if draft and draft != draft_id():
        _show(lab.draft(draft), draft=draft)
    elif shared and shared != st.session_state.get(_SHARED):
        _show(lab.shared(shared), shared=shared)
    if run_asked and run_asked != run_id():
        run = lab.run(run_asked)
        if not draft and not shared:
            _show(run.experiment)
        watch(run.id)
    if model:
        look_at(model)


def named(name: str) -> str:
    """What the address says under a name; empty if nothing."""
    return st.query_params.get(name, "")


def missing() -> str:
    """What the address named and is not there; said once."""
    return st.session_state.pop(_MISSING, "")


def _show(shown: Experiment, *, draft: str = "", shared: str = "") -> None:
    st.session_state[_EXPERIMENT], st.session_state[_DRAFT], st.session_state[_SHARED] = shown, draft, shared
    st.session_state[_RUN], st.session_state[_MODEL] = None, ""
    st.session_state[_PAST] = []
    _redraw_forms()


def address() -> dict[str, str]:
    """What the address has to say to show the same elsewhere."""
    shown = {"draft": draft_id(), "experiment": st.session_state.get(_SHARED), "run": run_id(), "model": model_id()}
    return {name: value for name, value in shown.items() if value}


def page_address() -> str:
    """The address of this page without what it shows, for links."""
    return (st.context.url or "").partition("?")[0]


def write_address() -> None:
    """Name in the address what is shown."""
    # Every write is an entry in the browser's history: write only what is new.
    if st.query_params.to_dict() != address():
        st.query_params.from_dict(address())
    st.session_state[_WRITTEN] = address()


# Editing


def edit(lab: Lab, change: Callable[[Experiment], Experiment], *, redraw: bool = False) -> None:
    """Change the experiment and keep it: in the draft, or in a new one where there is none.

    Args:
        lab: keeps the draft.
        change: from the experiment as it is to the next; what it raises leaves everything as it was.
        redraw: make all form fields anew, because the change came from elsewhere than from them.
    """
    before = experiment()
    after = change(before)
    if after == before:
        return
    st.session_state[_PAST] = [*st.session_state.get(_PAST, []), before][-MAX_UNDO:]
    complain(TRAIN, "")  # what was said against the experiment as it was
    _keep(lab, after)
    if redraw:
        _redraw_forms()


def undo(lab: Lab) -> None:
    """Take the last edit back."""
    *past, before = st.session_state[_PAST]
    st.session_state[_PAST] = past
    _keep(lab, before)
    _redraw_forms()


def can_undo() -> bool:
    """Whether there is an edit to take back."""
    return bool(st.session_state.get(_PAST))


def start(lab: Lab, begun: Experiment) -> str:
    """Put an experiment on the bench as a new draft; gives the draft's id."""
    draft = lab.new_draft(begun)
    _show(begun, draft=draft)
    return draft


def offer(begun: Experiment) -> bool:
    """Put an experiment on the bench where nobody has put or opened one yet; whether it is another one now."""
    if draft_id() or run_id() or st.session_state.get(_SHARED) or experiment() == begun:
        return False
    st.session_state[_EXPERIMENT] = begun
    _redraw_forms()
    return True


def _keep(lab: Lab, edited: Experiment) -> None:
    st.session_state[_EXPERIMENT] = edited
    draft = draft_id()
    if draft:
        try:
            lab.save_draft(draft, edited)
        except NotFound:  # cleaned away while the tab was open
            draft = ""
    if not draft:
        st.session_state[_DRAFT], st.session_state[_SHARED] = lab.new_draft(edited), ""
    write_address()


def launch(lab: Lab, *, held: bool = False) -> Run:
    """Train the experiment: keep the draft, queue a run, watch it; ``held``: it waits paused.

    Raises:
        SpecError: it cannot be trained.
    """
    if not draft_id():
        st.session_state[_DRAFT], st.session_state[_SHARED] = lab.new_draft(experiment()), ""
    run = lab.launch(experiment(), draft=draft_id(), owner=owner(), held=held)
    watch(run.id)
    return run


def watch(run: str) -> None:
    """Watch another run; the address follows with the next run of the page."""
    st.session_state[_RUN], st.session_state[_MODEL] = run, ""


def look_at(model: str) -> None:
    """Look into a model of the library on the pages that look into a network."""
    st.session_state[_MODEL] = model


def pace(seconds: float) -> float:
    """The pace of this tab for something to be looked at about every ``seconds``: up to a tenth faster, by chance.

    The pages of a class that arrives together would else be refreshed together, over and over.
    """
    share: float = st.session_state.setdefault(_PACE, random.uniform(0.9, 1.0))
    return seconds * share


# Widgets


def widget_key(*path: object) -> str:
    """The key of a form field. It changes when the experiment is changed from elsewhere, so that fields follow."""
    return ".".join(map(str, ("form", st.session_state.get(_REVISION, 0), *path)))


def widget_value(key: str) -> Any:
    """What a person put into a widget; None before it is drawn."""
    return st.session_state.get(key)


def widget_choice(key: str, options: Container[Any]) -> Any:
    """What a person chose from a list; None where it is not there any more.

    A browser sends the label. Where the list has changed and the browser has not heard of it, Streamlit hands the
    label itself to a callback.
    """
    chosen = widget_value(key)
    return chosen if chosen in options else None


def set_widget(key: str, value: Any) -> None:
    """Move a widget; only possible from callbacks, before it is drawn."""
    st.session_state[key] = value


def keep(name: str, value: Any) -> None:
    """Keep what a person gave beyond the page where they gave it, where a widget would forget it."""
    st.session_state[f"kept.{name}"] = value


def kept(name: str, default: Any = None) -> Any:
    """What was kept under a name."""
    return st.session_state.get(f"kept.{name}", default)


def _redraw_forms() -> None:
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1
    st.session_state[_PROBLEMS] = {}


def complain(place: str, problem: str) -> None:
    """Remember what is wrong at a place of a form; empty: nothing any more."""
    problems: dict[str, str] = st.session_state.setdefault(_PROBLEMS, {})
    problems.pop(place, None)
    if problem:
        problems[place] = problem


def problem(place: str) -> str:
    """What is wrong at a place of a form."""
    return st.session_state.get(_PROBLEMS, {}).get(place, "")


def last_description() -> Description | None:
    """The newest answer of the engine, to be shown greyed while there is no newer one."""
    return st.session_state.get(_DESCRIPTION)


def remember_description(description: Description) -> None:
    """Keep the newest answer of the engine."""
    st.session_state[_DESCRIPTION] = description
