"""What many people watch goes through the feed: one reader a run, the same bytes to all who follow it.

A WebSocket at ``/feed/{run id}?token=…``. Streamlit guards its own routes only, so this one looks at Origin and Host
itself, and lets in who brings a token that a page gave out. Frames are described in :mod:`playground.displays.frames`.
Whatever this module imports is imported before the server answers at all.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config

from playground.errors import NotFound, StoreError

if TYPE_CHECKING:
    from playground.displays.frames import Moment

log = logging.getLogger("playground")

BETWEEN_FRAMES = 0.2
"""Seconds between two frames at least: the browser moves smoothly from one to the next by itself."""
BETWEEN_LOOKS = 0.05
"""Seconds until the next look where there was nothing new, so that what comes is told while it is fresh. A look that
finds nothing costs half a millisecond."""
AT_REST = 0.5
"""The same for a run that is over: somebody may resume it."""
TOKEN_SECONDS = 86_400
REFUSED, UNKNOWN = 4403, 4404
"""Codes with which a socket is closed; a refused one is closed before it is accepted, which a browser sees as 403."""

_SECRET = secrets.token_bytes(32)
"""Of this process: a token is worth nothing after a restart, and the page that held it is drawn anew anyway."""


def url(run_id: str) -> str:
    """The address of a run's feed, relative to the page, with a token that lets in for a day."""
    return f"feed/{run_id}?token={_token(run_id, int(time.time()) + TOKEN_SECONDS)}"


def _token(run_id: str, expires: int) -> str:
    signature = hmac.new(_SECRET, f"{run_id} {expires}".encode(), hashlib.sha256).hexdigest()
    return f"{expires}.{signature}"


def is_valid(token: str, run_id: str) -> bool:
    """Whether a token was given out for this run by this process, less than a day ago."""
    expires = token.partition(".")[0]
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
        return False
    return hmac.compare_digest(token.encode(), _token(run_id, int(expires)).encode()) and int(expires) > time.time()


def is_from_here(origin: str, host: str, allowed_hosts: Iterable[str]) -> bool:
    """Whether a page of this app asks, as far as a browser tells: Origin and Host agree, or both are allowed.

    Args:
        origin: the header, such as ``http://localhost:8501``.
        host: the header, such as ``localhost:8501``.
        allowed_hosts: names by which this server may be called; empty, or with ``*`` among them: any.
    """
    allowed, asking, asked = set(allowed_hosts), urlsplit(origin), urlsplit(f"//{host}")
    if not asking.hostname or not asked.hostname:
        return False
    names = {name.strip("[]") for name in allowed}
    if allowed and "*" not in allowed and asked.hostname not in names:
        return False  # a stranger's name that leads here: DNS rebinding
    return asking.netloc == host or asking.hostname in names


class _Viewer:
    """One who follows a run. There is room for one frame: who is slow misses some, and then gets a whole one."""

    def __init__(self) -> None:
        self.is_behind = True
        self.code = 1000
        """With which the socket is closed after the last frame."""
        self._frame: bytes | None = None
        self._woken = asyncio.Event()

    def give(self, news: bytes | None, whole: bytes | None) -> None:
        """Hand over the next frame; who has not taken the one before stays behind until there is a whole one."""
        self.is_behind = self.is_behind or (news is not None and self._frame is not None)
        frame = whole if self.is_behind else news
        if frame is not None:
            self._frame, self.is_behind = frame, False
            self._woken.set()

    def dismiss(self, code: int) -> None:
        """There is nothing to follow any more."""
        self.code, self._frame = code, None
        self._woken.set()

    async def next(self) -> bytes | None:
        """The next frame, as soon as there is one; None after the last."""
        await self._woken.wait()
        self._woken.clear()
        frame, self._frame = self._frame, None
        return frame


class _Look(NamedTuple):
    moment: "Moment"
    news: bytes | None
    whole: bytes | None
    """Only where somebody needs it."""


class Feed:
    """Reads each run that is followed once, and tells all its viewers.

    Args:
        follow: gives the newest moment of a run, at most so many seconds old; raises NotFound.
        allowed_hosts: gives the names by which this server may be called.
    """

    def __init__(self, follow: "Callable[[str, float], Moment]", allowed_hosts: Callable[[], Iterable[str]]) -> None:
        self._follow, self._allowed_hosts = follow, allowed_hosts
        self._viewers: dict[str, set[_Viewer]] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}

    @property
    def followed(self) -> tuple[str, ...]:
        """The runs that somebody follows now."""
        return tuple(self._readers)

    async def serve(self, socket: WebSocket) -> None:
        """The route: refuses, or tells until one side has enough."""
        run_id, headers = socket.path_params["run_id"], socket.headers
        is_ours = is_from_here(headers.get("origin", ""), headers.get("host", ""), self._allowed_hosts())
        if not is_ours or not is_valid(socket.query_params.get("token", ""), run_id):
            await socket.close(REFUSED)
            return
        await socket.accept()
        viewer = _Viewer()
        viewers = self._join(run_id, viewer)
        tasks = asyncio.create_task(_until_gone(socket)), asyncio.create_task(_tell(socket, viewer))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            viewers.discard(viewer)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _join(self, run_id: str, viewer: _Viewer) -> set[_Viewer]:
        viewers = self._viewers.setdefault(run_id, set())
        viewers.add(viewer)
        if run_id not in self._readers:
            self._readers[run_id] = asyncio.create_task(self._read(run_id, viewers))
        return viewers

    async def _read(self, run_id: str, viewers: set[_Viewer]) -> None:
        """Look and tell, as long as somebody follows."""
        before: Moment | None = None
        try:
            while viewers:
                before, pause = await self._look_and_tell(run_id, before, viewers)
                await asyncio.sleep(pause)
        except NotFound:
            for viewer in viewers:
                viewer.dismiss(UNKNOWN)
        finally:
            del self._readers[run_id], self._viewers[run_id]

    async def _look_and_tell(
        self, run_id: str, before: "Moment | None", viewers: set[_Viewer]
    ) -> "tuple[Moment | None, float]":
        """What was seen, and for how many seconds nobody needs to look again."""
        try:
            look = await asyncio.to_thread(self._look, run_id, before, any(viewer.is_behind for viewer in viewers))
        except StoreError as error:
            log.warning("The feed of run %s: %s", run_id, error)  # it may pass, and viewers stay
            return before, AT_REST
        for viewer in viewers:
            viewer.give(look.news, look.whole)
        if look.news or look.whole:
            return look.moment, BETWEEN_FRAMES
        return look.moment, AT_REST if look.moment.run.status.is_over else BETWEEN_LOOKS

    def _look(self, run_id: str, before: "Moment | None", somebody_is_behind: bool) -> _Look:
        moment = self._follow(run_id, BETWEEN_LOOKS / 2)
        return _Look(moment, moment.news(before) if before else None, moment.whole if somebody_is_behind else None)


async def _until_gone(socket: WebSocket) -> None:
    """A viewer has nothing to say; whatever comes is not read."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _tell(socket: WebSocket, viewer: _Viewer) -> None:
    with suppress(WebSocketDisconnect):
        while (frame := await viewer.next()) is not None:
            await socket.send_bytes(frame)
        await socket.close(viewer.code)


def _follow(run_id: str, fresh: float) -> "Moment":
    moment: Moment = import_module("playground.ui.resources").lab().follow(run_id, fresh)
    return moment


def _allowed_hosts() -> list[str]:
    return list(config.get_option("server.allowedHosts"))


ROUTE = WebSocketRoute("/feed/{run_id}", Feed(_follow, _allowed_hosts).serve)
