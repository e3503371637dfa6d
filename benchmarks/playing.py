"""Thirty people play on spirals at watching speed, on one train worker: is everybody's network moving, and every page?

``python -m benchmarks.playing --json``; the bars are two epochs a second for the slowest and a second for a page, p95.
First everybody opens the same experiment, as a class does, and has a run; then everybody has pressed New seed. The
pages' own feeds are followed as browsers do.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.report import note, report
from benchmarks.runs import store_of, wait_until
from benchmarks.streamlit_client import Seen, Viewer
from playground.lab.play import PLAY
from playground.spec import Experiment, changed
from playground.spec.orders import SetSpeed
from playground.store import Store
from tests.browser.app import App, running_app

PLAYERS = 30
WATCHING_SPEED = 10.0
SECONDS = 30.0
BARS = {"slowest_epochs_per_second": 2.0, "page_p95_seconds": 1.0}


def measure() -> dict[str, Any]:
    """Both, each with an app of its own."""
    return {
        "same_experiment": _played(lambda number: PLAY),
        "own_seeds": _played(lambda number: changed(PLAY, seed=number)),
    }


def _played(of: Callable[[int], Experiment]) -> dict[str, Any]:
    """Let everybody press play, then watch for a while."""
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app:
        store = store_of(app)
        runs = [_play(store, of(number), number) for number in range(PLAYERS)]
        note(f"{PLAYERS} people press play…")
        wait_until(lambda: all(store.run(run).progress.epoch > 1 for run in runs), 180, "every network to move")
        time.sleep(5)  # what compiles beside it is compiled
        before, began = [store.run(run).progress.epoch for run in runs], time.monotonic()
        outcomes = asyncio.run(_watch(app, runs))
        seconds = time.monotonic() - began
        speeds = sorted(
            (store.run(run).progress.epoch - epoch) / seconds for run, epoch in zip(runs, before, strict=True)
        )
    pages = [outcome for outcome in outcomes if isinstance(outcome, Page)]
    drawn = sorted(page.seen.first_paint or SECONDS for page in pages)
    found = {
        "players": PLAYERS,
        "slowest_epochs_per_second": round(speeds[0], 2),
        "median_epochs_per_second": round(speeds[len(speeds) // 2], 2),
        "page_p95_seconds": round(drawn[min(len(drawn) - 1, int(len(drawn) * 0.95))], 2),
        "fewest_frames_per_second": round(min(page.frames for page in pages) / SECONDS, 2),
        "pages_lost": len(outcomes) - len(pages),
        "exceptions_shown": sum(page.seen.exceptions for page in pages),
    }
    met = found["slowest_epochs_per_second"] >= BARS["slowest_epochs_per_second"]
    return found | {"met": met and found["page_p95_seconds"] <= BARS["page_p95_seconds"]}


def _play(store: Store, experiment: Experiment, number: int) -> str:
    run = store.create_run(experiment, owner=f"player {number}", held=True)
    store.order(run.id, SetSpeed(epochs_per_second=WATCHING_SPEED))
    store.request(run.id, pause=False)
    return run.id


class Page(Viewer):
    """A page of the playground, and the feed that it follows."""

    def __init__(self, app: App, run_id: str) -> None:
        super().__init__(app.url, "play", f"run={run_id}")
        self._url = app.url
        self._feed: asyncio.Task[None] | None = None
        self.seen: Seen
        self.frames = 0

    def _receive(self, data: bytes, begin: float) -> None:
        message = ForwardMsg()
        message.ParseFromString(data)
        address = re.search(rb"feed/\w+\?token=[\w.]+", data)
        if address and self._feed is None:
            self._feed = asyncio.create_task(self._follow(address[0].decode()))
        super()._receive(data, begin)

    async def _follow(self, address: str) -> None:
        url = f"{self._url.replace('http', 'ws', 1)}/{address}"
        async with websockets.connect(url, origin=websockets.Origin(self._url), max_size=None) as socket:
            async for _ in socket:
                self.frames += 1

    async def play(self, seconds: float) -> "Page":
        """Look for so long."""
        await self.watch(seconds)
        if self._feed is not None:
            self._feed.cancel()
        return self


async def _watch(app: App, runs: Sequence[str]) -> Sequence[Page | BaseException]:
    async def one(index: int, run_id: str) -> Page:
        await asyncio.sleep(index * 0.5)  # people do not arrive in the same moment
        return await Page(app, run_id).play(SECONDS)

    return await asyncio.gather(*(one(index, run_id) for index, run_id in enumerate(runs)), return_exceptions=True)


if __name__ == "__main__":
    report(measure, __doc__)
