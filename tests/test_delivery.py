"""Nothing that a page has drawn is lost on its way to the browser, and the theme is put together once."""

import functools

import pytest
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session, forward_msg_queue
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from playground.ui import delivery

BEGINS = ForwardMsg(new_session={"name": "page"})
ENDS = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)


def drawn(text: str, *, fragment: str = "play") -> ForwardMsg:
    message = ForwardMsg(delta={"fragment_id": fragment, "new_element": {"markdown": {"body": text}}})
    message.metadata.delta_path.extend([0, 1])
    return message


def texts(messages: list[ForwardMsg]) -> list[str]:
    """What each message draws; its type if it draws nothing."""
    return [
        message.delta.new_element.markdown.body if message.HasField("delta") else message.WhichOneof("type")
        for message in messages
    ]


def sent_of(*, run_ends: bool) -> list[str]:
    """A whole run draws a fragment; before it is sent the fragment runs again."""
    queue = ForwardMsgQueue()
    for message in (BEGINS, drawn("first"), *([ENDS] if run_ends else [])):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["play"])
    for message in (BEGINS, drawn("second")):
        queue.enqueue(message)
    return texts(queue.flush())


@pytest.fixture
def streamlits_own(monkeypatch):
    monkeypatch.setattr(forward_msg_queue.ForwardMsgQueue, "clear", delivery._clear)


def test_streamlit_still_loses_them(streamlits_own):
    """Once this fails the module can go."""
    assert sent_of(run_ends=True) == ["new_session", "script_finished", "new_session", "second"]


def test_a_whole_run_keeps_its_elements():
    delivery.keep_whole_runs()
    assert sent_of(run_ends=True) == ["new_session", "first", "script_finished", "new_session", "second"]


def test_what_a_fragment_draws_again_before_is_sent_once():
    delivery.keep_whole_runs()
    assert sent_of(run_ends=False) == ["new_session", "new_session", "second"]


def test_a_new_whole_run_replaces_the_one_before():
    delivery.keep_whole_runs()
    queue = ForwardMsgQueue()
    for message in (BEGINS, drawn("first"), ENDS):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True)
    (begins, ends) = queue.flush()
    assert (texts([begins, ends]), ends.script_finished) == (
        ["new_session", "script_finished"],
        ForwardMsg.FINISHED_EARLY_FOR_RERUN,
    )


SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar", "theme.dark.sidebar")


def theme() -> CustomThemeConfig:
    """As Streamlit asks for it with every run."""
    whole = CustomThemeConfig()
    for section in SECTIONS:
        part = functools.reduce(getattr, section.split(".")[1:], whole)
        app_session._populate_theme_msg(part, section)
    return whole


@pytest.fixture
def looked_up(monkeypatch):
    """The sections that were looked up; what is done to Streamlit is undone."""
    sections, look_up = [], config.get_options_for_section
    monkeypatch.setattr(config, "get_options_for_section", lambda name: sections.append(name) or look_up(name))
    monkeypatch.setattr(app_session, "_populate_theme_msg", delivery._populate)
    delivery._theme.cache_clear()
    return sections


def test_streamlit_still_looks_it_up_every_time(looked_up):
    """Once this fails that half of the module can go."""
    theme(), theme()
    assert set(looked_up[: len(looked_up) // 2]) == set(looked_up[len(looked_up) // 2 :]) >= set(SECTIONS)


def test_the_theme_is_put_together_once_and_is_the_same(looked_up):
    own = theme()
    delivery.remember_theme()
    assert theme() == own
    assert own.HasField("light")
    assert not own.HasField("sidebar")
    looked_up.clear()
    assert theme() == own
    assert looked_up == []


def test_a_changed_file_of_options_is_heard_of(looked_up):
    delivery.remember_theme()
    theme()
    looked_up.clear()
    config._on_config_parsed.send()
    theme()
    assert set(looked_up) >= set(SECTIONS)
