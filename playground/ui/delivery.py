"""What Streamlit sends to a browser: nothing of a page is lost, and the theme is put together once.

Streamlit 1.67 throws away, as a fragment runs again, what it had not yet sent of that fragment's elements, but not the
news that the run of the whole page before has ended. The browser then takes away the elements of the fragment, which
that run seems not to have drawn, and mounts them anew a moment later: a picture blinks, a chart loses its zoom.

And it sends the theme with every run of a page or a fragment, for which it goes six times through all of its options in
the thread that serves everybody: a tenth of what a refresh costs.
"""

import functools

from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_clear = ForwardMsgQueue.clear
_populate = app_session._populate_theme_msg


def keep_whole_runs() -> None:
    """Let no queue of messages lose elements of a whole run that has ended. May be called again."""
    ForwardMsgQueue.clear = _clear_unless_whole  # type: ignore[method-assign]


def _clear_unless_whole(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    if fragment_ids_this_run and any(map(_ends_whole_run, queue._queue)):
        queue._delta_index_map = {}  # so that what follows comes after what there is, not in its place
    else:
        _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)


def _ends_whole_run(message: ForwardMsg) -> bool:
    is_end: bool = message.HasField("script_finished")
    return is_end and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


def remember_theme() -> None:
    """Put the theme together once, and again when the file of the options is read anew. May be called again."""
    app_session._populate_theme_msg = _populate_once
    config.on_config_parsed(_theme.cache_clear, force_connect=True)


def _populate_once(message: CustomThemeConfig, section: str = "theme") -> None:
    theme = _theme(section)
    if theme.ByteSize():  # else there is no such section, which a browser tells from an empty one
        message.MergeFrom(theme)


@functools.cache
def _theme(section: str) -> CustomThemeConfig:
    theme = CustomThemeConfig()
    _populate(theme, section)
    return theme
