"""What Streamlit sends to a browser, kept whole: a page's run that nobody has received yet loses none of its elements.

Streamlit 1.67 throws away, as a fragment runs again, what it had not yet sent of that fragment's elements, but not the
news that the run of the whole page before has ended. The browser then takes away the elements of the fragment, which
that run seems not to have drawn, and mounts them anew a moment later: a picture blinks, a chart loses its zoom.
"""

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_clear = ForwardMsgQueue.clear


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
