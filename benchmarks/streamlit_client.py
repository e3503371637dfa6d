"""A viewer of a Streamlit page without a browser: speaks the page's websocket and refreshes what refreshes itself."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


@dataclass
class Seen:
    """What one viewer saw. Times in seconds."""

    first_paint: float | None = None
    """From connecting to the end of the page's first script run."""
    answers: list[float] = field(default_factory=list)
    """From asking for a refresh to its end. One that is unanswered at the end counts with the time it has waited."""
    answered: int = 0
    due: int = 0
    """Refreshes that the page's own intervals asked for since the first paint, whether this viewer came to ask or not:
    a server that stalls cannot look fast."""
    exceptions: int = 0
    """Error boxes on the page."""
    received: int = 0
    """Bytes."""


@dataclass
class Timer:
    """A fragment that the page asked to have refreshed."""

    interval: float
    since: float
    next: float


class Viewer:
    """One session on one page, refreshing one fragment at a time, the longest due first, as a browser would."""

    def __init__(self, url: str, page: str, query: str) -> None:
        """Watch ``page`` (its path in the URL) of the app at ``url`` with the query string ``query``."""
        parts = urlsplit(url)
        self._address = f"ws://{parts.netloc}/_stcore/stream"
        self._origin = websockets.Origin(f"http://{parts.netloc}")
        self._page, self._query = page, query
        self._page_hash = ""
        self._timers: dict[str, Timer] = {}
        self._waiting: tuple[str, float] | None = None
        self.seen = Seen()

    async def watch(self, seconds: float) -> Seen:
        """Look at the page for so long.

        Raises:
            websockets.WebSocketException: the server refused or dropped the session.
        """
        async with websockets.connect(
            self._address, max_size=None, subprotocols=[websockets.Subprotocol("streamlit")], origin=self._origin
        ) as socket:
            begin = time.monotonic()
            end = begin + seconds
            await socket.send(self._ask())
            while (now := time.monotonic()) < end:
                wake = end if self._waiting else min([end, *(timer.next for timer in self._timers.values())])
                with contextlib.suppress(TimeoutError):
                    data = await asyncio.wait_for(socket.recv(decode=False), max(0.001, wake - now))
                    self._receive(data, begin)
                    continue
                if not self._waiting and self._timers:
                    fragment = min(self._timers, key=lambda name: self._timers[name].next)
                    await socket.send(self._ask(fragment))
                    self._waiting = fragment, time.monotonic()
        self._forget(*self._timers)
        if self._waiting:
            self.seen.answers.append(time.monotonic() - self._waiting[1])
        return self.seen

    def _ask(self, fragment: str = "") -> bytes:
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.page_script_hash = self._page_hash
        message.rerun_script.query_string = self._query
        if fragment:
            message.rerun_script.fragment_id = fragment
            message.rerun_script.is_auto_rerun = True
        return bytes(message.SerializeToString())

    def _receive(self, data: bytes, begin: float) -> None:
        now, seen = time.monotonic(), self.seen
        seen.received += len(data)
        message = ForwardMsg()
        message.ParseFromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:  # the whole page is drawn anew, and asks anew
                self._forget(*self._timers)
        elif kind == "auto_rerun":
            self._forget(message.auto_rerun.fragment_id)
            interval = message.auto_rerun.interval
            self._timers[message.auto_rerun.fragment_id] = Timer(interval, now, now + interval)
        elif kind == "stop_auto_rerun":
            self._forget(*message.stop_auto_rerun.fragment_ids)
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            seen.exceptions += 1
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._finish(now, begin)

    def _finish(self, now: float, begin: float) -> None:
        seen = self.seen
        if seen.first_paint is None:
            seen.first_paint = now - begin
        elif self._waiting:
            fragment, asked = self._waiting
            seen.answers.append(now - asked)
            seen.answered += 1
            if timer := self._timers.get(fragment):
                timer.next = max(now, asked + timer.interval)
        self._waiting = None

    def _forget(self, *fragments: str) -> None:
        """Count what these fragments were due until now, and refresh them no more."""
        for fragment in fragments:
            if timer := self._timers.pop(fragment, None):
                self.seen.due += int((time.monotonic() - timer.since) / timer.interval)
