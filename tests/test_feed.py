"""The feed: who is let in, and what those hear who follow a run. Over real sockets."""

import json
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from types import SimpleNamespace

import pytest
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.sync.client import ClientConnection, connect

from playground.errors import NotFound, StoreError
from playground.lab.watching import Watching
from playground.records import Event, Point, Progress, RunStatus
from playground.settings import Settings
from playground.store import Store, open_store
from playground.ui import feed
from playground.ui.feed import Feed, is_from_here, is_valid
from tests.desk import experiment_of
from tests.runs import run_in

HOSTS = ("localhost", "127.0.0.1")


class Follow:
    """Looks into a store as the lab does, and counts."""

    def __init__(self, store: Store) -> None:
        self.store, self.looks = store, 0
        self.error: Exception | None = None
        self.watching: dict[str, Watching] = {}

    def __call__(self, run_id: str, fresh: float):
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.watching.setdefault(run_id, Watching(self.store, run_id)).follow(fresh)


@contextmanager
def serving(served: Feed) -> Iterator[int]:
    """A server with this feed; its port."""
    app = Starlette(routes=[WebSocketRoute("/feed/{run_id}", served.serve)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield store


@pytest.fixture
def follow(store: Store) -> Follow:
    return Follow(store)


@pytest.fixture
def served(follow: Follow) -> Feed:
    return Feed(follow, lambda: HOSTS)


@pytest.fixture
def port(served: Feed) -> Iterator[int]:
    with serving(served) as port:
        yield port


def following(port: int, run_id: str, *, url: str | None = None, origin: str | None = None) -> ClientConnection:
    """As a page does it, unless told otherwise."""
    address = f"ws://127.0.0.1:{port}/{url or feed.url(run_id)}"
    # To one who does not read the goodbye does not come through: it need not be waited for.
    return connect(address, origin=origin or f"http://127.0.0.1:{port}", max_size=None, close_timeout=1)


def header_of(frame: bytes) -> dict:
    (length,) = struct.unpack_from("<I", frame)
    return json.loads(frame[4 : 4 + length])


def until(socket: ClientConnection, holds) -> list[dict]:
    """The headers of all frames up to the first for which it holds."""
    headers = []
    while not headers or not holds(headers[-1]):
        headers.append(header_of(socket.recv(timeout=20)))
    return headers


class TestTokens:
    def test_names_its_run(self):
        token = feed.url("a").partition("token=")[2]
        assert is_valid(token, "a")
        assert not is_valid(token, "b")

    @pytest.mark.parametrize("token", ["", "x", "9999999999.00", "9999999999", ".", "²."])
    def test_made_up(self, token):
        assert not is_valid(token, "a")

    def test_expires(self, monkeypatch):
        token = feed.url("a").partition("token=")[2]
        later = time.time() + feed.TOKEN_SECONDS + 1
        monkeypatch.setattr("playground.ui.feed.time.time", lambda: later)
        assert not is_valid(token, "a")

    def test_a_changed_end_is_noticed(self):
        expires, _, signature = feed.url("a").partition("token=")[2].partition(".")
        assert not is_valid(f"{int(expires) + 1}.{signature}", "a")


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "is_ours"),
    [
        ("http://localhost:8501", "localhost:8501", HOSTS, True),
        ("http://localhost:8501", "localhost:8501", (), True),
        ("https://class.example", "class.example", ("class.example",), True),
        ("https://class.example", "localhost:8501", ("localhost", "class.example"), True),  # a proxy between
        ("http://[::1]:8501", "[::1]:8501", ("[::1]",), True),
        ("http://anywhere:1", "anywhere:1", ("*",), True),
        ("http://evil.example", "localhost:8501", HOSTS, False),
        ("http://evil.example", "evil.example", HOSTS, False),  # DNS rebinding
        ("http://evil.example", "localhost:8501", (), False),
        ("http://evil.example", "localhost:8501", ("*",), False),
        ("", "localhost:8501", HOSTS, False),
        ("null", "localhost:8501", HOSTS, False),
        ("http://localhost:8501", "", HOSTS, False),
    ],
)
def test_origin_and_host(origin, host, allowed, is_ours):
    assert is_from_here(origin, host, allowed) == is_ours


class TestDoor:
    """What is wrong is refused before the socket is accepted."""

    def refused(self, port: int, **wrong: str) -> bool:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            following(port, "a", **wrong)
        return refusal.value.response.status_code == 403

    def test_another_origin(self, port, served):
        assert self.refused(port, origin="http://evil.example")
        assert served.followed == ()

    def test_no_token(self, port):
        assert self.refused(port, url="feed/a")

    def test_a_token_for_another_run(self, port, follow):
        assert self.refused(port, url=feed.url("b").replace("/b?", "/a?"))
        assert not follow.looks

    def test_an_expired_token(self, port, monkeypatch):
        monkeypatch.setattr(feed, "TOKEN_SECONDS", -1)
        assert self.refused(port)

    def test_an_unknown_run_is_told_so(self, port):
        with following(port, "nobody") as socket, pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv(timeout=20)
        assert closed.value.rcvd.code == feed.UNKNOWN


class TestFollowing:
    def test_all_first_then_news(self, port, store):
        run = run_in(store, experiment_of("iris"), epochs=3)
        with following(port, run.id) as socket:
            first = header_of(socket.recv(timeout=20))
            assert first["whole"]
            assert [point[0] for point in first["points"]] == [10, 20, 30]
            store.request(run.id, pause=True)
            second = header_of(socket.recv(timeout=20))
        assert not second["whole"]
        assert second["points"] == []
        assert second["run"]["pause"]

    def test_the_same_bytes_to_all_and_one_reader(self, port, store, follow):
        run = run_in(store, experiment_of("iris"))
        with ExitStack() as stack:
            sockets = [stack.enter_context(following(port, run.id)) for _ in range(5)]
            for socket in sockets:
                socket.recv(timeout=20)
            looks = follow.looks
            store.request(run.id, pause=True)
            assert len({socket.recv(timeout=20) for socket in sockets}) == 1
            assert follow.looks - looks < 5 * 5  # not one reader a viewer

    def test_nobody_looks_when_nobody_follows(self, port, store, served, follow):
        run = run_in(store, experiment_of("iris"))
        with following(port, run.id) as socket:
            socket.recv(timeout=20)
            assert served.followed == (run.id,)
        deadline = time.monotonic() + 20
        while served.followed and time.monotonic() < deadline:
            time.sleep(0.01)
        assert served.followed == ()

    def test_a_run_that_is_deleted_meanwhile(self, port, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        with following(port, run.id) as socket:
            socket.recv(timeout=20)
            store.delete_run(run.id)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                socket.recv(timeout=20)
        assert closed.value.rcvd.code == feed.UNKNOWN

    def test_a_store_that_is_away_for_a_moment(self, port, store, follow, caplog):
        run = run_in(store, experiment_of("iris"))
        with following(port, run.id) as socket:
            socket.recv(timeout=20)
            follow.error = StoreError("The database is busy. Try again.")
            while "busy" not in caplog.text:
                time.sleep(0.01)
            follow.error = None
            store.request(run.id, stop=True)
            assert until(socket, lambda header: header["run"]["stop"])

    def test_a_resumed_run_is_told_whole(self, port, store):
        run = run_in(store, experiment_of("iris"), Event.STOP)
        with following(port, run.id) as socket:
            assert header_of(socket.recv(timeout=20))["run"]["status"] == "stopped"
            store.resume(run.id)
            claimed = store.claim("a test", run_id=run.id)
            assert claimed is not None
            store.rewind(run.id, claimed[1], 20)
            store.report(run.id, claimed[1], Progress(step=25, phase="training"), points=[Point(25, 2.5, "chunk", {})])
            headers = until(socket, lambda header: header["points"] and header["points"][-1][0] == 25)
        assert headers[-1]["whole"]
        assert [point[0] for point in headers[-1]["points"]] == [10, 20, 25]


NOISE = os.urandom(500_000)
"""Not to be compressed."""
MANY = 50
"""So many frames of it are too much for the buffers on the way to a viewer, 6 MB in the kernel and 16 frames in its
client."""


class Counting:
    """A moment with a number: each is news to the one before."""

    run = SimpleNamespace(status=RunStatus.RUNNING)

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def whole(self) -> bytes:
        return b"whole %d " % self.number + NOISE

    def news(self, before: "Counting") -> bytes:
        return b"news %d " % self.number + NOISE


def test_a_slow_viewer_holds_up_nobody_and_gets_a_whole_frame(monkeypatch):
    """The slow one reads nothing for a while: it misses frames, the other gets each of them."""
    monkeypatch.setattr(feed, "BETWEEN_FRAMES", 0.005)
    moments = iter(range(10_000))
    served = Feed(lambda run_id, fresh: Counting(next(moments)), lambda: HOSTS)
    with serving(served) as port, following(port, "a") as slow, following(port, "a") as quick:
        seen = [quick.recv(timeout=20).split(maxsplit=2)[:2] for _ in range(MANY)]
        late = [slow.recv(timeout=20).split(maxsplit=2)[:2] for _ in range(MANY)]
    numbers = [int(number) for _, number in seen]
    assert numbers == list(range(numbers[0], numbers[0] + MANY))
    assert [kind for kind, _ in seen] == [b"whole"] + (MANY - 1) * [b"news"]
    numbers = [int(number) for _, number in late]
    gaps = [at for at in range(1, MANY) if numbers[at] != numbers[at - 1] + 1]
    assert gaps
    assert all(late[at][0] == b"whole" for at in gaps)


def test_the_app_serves_it():
    from playground.ui.server import ROUTES

    assert feed.ROUTE in ROUTES


def test_a_run_nobody_knows_raises_where_it_is_asked(store):
    with pytest.raises(NotFound):
        Watching(store, "nobody").follow()
