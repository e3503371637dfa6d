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


class Viewer:
    """One session on one page, refreshing one fragment at a time, the longest due first, as a browser would."""

    def __init__(self, url: str, page: str, query: str) -> None:
        """Watch ``page`` (its path in the URL) of the app at ``url`` with the query string ``query``."""
        parts = urlsplit(url)
        self._address = f"ws://{parts.netloc}/_stcore/stream"
        self._origin = websockets.Origin(f"http://{parts.netloc}")
        self._page, self._query = page, query
        self._intervals: dict[str, float] = {}
        self._next: dict[str, float] = {}
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
                wake = end if self._waiting else min([end, *self._next.values()])
                with contextlib.suppress(TimeoutError):
                    data = await asyncio.wait_for(socket.recv(decode=False), max(0.001, wake - now))
                    self._receive(data, begin)
                    continue
                if not self._waiting and self._next:
                    fragment = min(self._next, key=self._next.__getitem__)
                    await socket.send(self._ask(fragment))
                    self._waiting = fragment, time.monotonic()
        self._settle(seconds)
        return self.seen

    def _ask(self, fragment: str = "") -> bytes:
        message = BackMsg()
        message.rerun_script.page_name = self._page
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
        if kind == "auto_rerun":
            fragment = message.auto_rerun.fragment_id
            self._intervals[fragment] = message.auto_rerun.interval
            self._next[fragment] = now + message.auto_rerun.interval
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            seen.exceptions += 1
        elif kind == "script_finished" and seen.first_paint is None:
            seen.first_paint = now - begin
        elif kind == "script_finished" and self._waiting:
            fragment, asked = self._waiting
            seen.answers.append(now - asked)
            seen.answered += 1
            self._next[fragment] = max(now, asked + self._intervals[fragment])
            self._waiting = None

    def _settle(self, seconds: float) -> None:
        if self.seen.first_paint is not None:
            watched = seconds - self.seen.first_paint
            self.seen.due = sum(int(max(0.0, watched) / interval) for interval in self._intervals.values())
        if self._waiting:
            self.seen.answers.append(time.monotonic() - self._waiting[1])
