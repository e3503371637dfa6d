"""A hundred people follow one run through the feed: how many of the frames due arrive, how old, and at which cost.

``python -m benchmarks.feed_viewers --json``; three frames a second, each with a picture of 25 kB. The bars: ``arrived``
≥ 0.98, ``p95_age_ms`` ≤ 200 and ``web_process_cores`` ≤ 0.3, every viewer connected. The viewers are a process of their
own, and the age of a frame counts from the worker's writing.
"""

import asyncio
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.report import note, report
from benchmarks.runs import ENDLESS, store_of
from benchmarks.streamlit_client import Viewer
from playground.records import Point, Progress
from playground.store import Store
from tests.browser.app import App, running_app

VIEWERS = 100
SECONDS = 20.0
FRAMES_A_SECOND = 3.0
PICTURE_BYTES = 25_000
SETTLED = 2.0
"""Seconds after the last viewer came, before anything counts."""


def measure() -> dict[str, Any]:
    """An app, a run that reports as a worker does, and the viewers in front of it."""
    with tempfile.TemporaryDirectory() as home, running_app(Path(home), PLAYGROUND_TRAIN_WORKERS="1") as app:
        store = store_of(app)
        run_id = store.create_run(ENDLESS, held=True).id
        address = asyncio.run(_address(app, run_id))
        note(f"{VIEWERS} viewers for {SECONDS:.0f} s…")
        over = threading.Event()
        worker = threading.Thread(target=_report, args=(store, run_id, over))
        worker.start()
        command = [sys.executable, "-m", "benchmarks.feed_viewers", "--view", app.url, address]
        viewers = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(SETTLED)
        before = app.process.cpu_times()
        began = time.monotonic()
        answer, _ = viewers.communicate()
        after, seconds = app.process.cpu_times(), time.monotonic() - began
        over.set()
        worker.join()
    used = after.user + after.system - before.user - before.system
    outcome: dict[str, Any] = json.loads(answer)
    return outcome | {"web_process_cores": round(used / seconds, 3)}


async def _address(app: App, run_id: str) -> str:
    """Where the page of a run says that its feed is: tokens are given out by pages only."""
    found: list[str] = []

    class Page(Viewer):
        def _receive(self, data: bytes, begin: float) -> None:
            message = ForwardMsg()
            message.ParseFromString(data)
            found.extend(match.decode() for match in re.findall(rb"feed/\w+\?token=[\w.]+", data))
            super()._receive(data, begin)

    for _ in range(20):
        await Page(app.url, "build", f"run={run_id}").watch(2)
        if found:
            return found[0]
    raise RuntimeError("The page gives out no address of a feed")


def _report(store: Store, run_id: str, over: threading.Event) -> None:
    """Write three times a second what a worker would: progress, a point, a picture. Its first bytes say when."""
    claimed = store.claim("a benchmark", run_id=run_id)
    if claimed is None:
        raise RuntimeError("Somebody else holds the run")
    step, due = 0, time.monotonic()
    while not over.is_set():
        step += 1
        picture = struct.pack("<d", time.time()) + os.urandom(PICTURE_BYTES)
        progress = Progress(step=step, total_steps=1_000_000, epoch=step / 36, phase="training")
        points = [Point(step, step / 36, "chunk", {"loss": 1 / step, "accuracy": 0.5})]
        store.report(run_id, claimed[1], progress, points=points, live={"network": (step, picture)})
        due += 1 / FRAMES_A_SECOND
        over.wait(max(0.0, due - time.monotonic()))


# The viewers


def view(url: str, address: str) -> dict[str, Any]:
    """Follow the feed ``VIEWERS`` times at once; what they got."""
    outcomes = asyncio.run(_view_all(url.replace("http", "ws", 1) + "/" + address, url))
    seen = [outcome for outcome in outcomes if isinstance(outcome, list)]
    ages = sorted(age for ages in seen for age in ages)
    due = VIEWERS * SECONDS * FRAMES_A_SECOND
    return {
        "viewers": VIEWERS,
        "connected": len(seen),
        "arrived": round(min(1.0, len(ages) / due), 4),
        "p50_age_ms": _milliseconds(ages, 0.5),
        "p95_age_ms": _milliseconds(ages, 0.95),
    }


async def _view_all(address: str, origin: str) -> Sequence[list[float] | BaseException]:
    begin = time.monotonic() + VIEWERS * 0.01 + SETTLED  # nobody counts before all are there

    async def one(index: int) -> list[float]:
        await asyncio.sleep(index * 0.01)
        async with websockets.connect(address, origin=websockets.Origin(origin), max_size=None) as socket:
            return await _ages(socket, begin)

    return await asyncio.gather(*(one(index) for index in range(VIEWERS)), return_exceptions=True)


async def _ages(socket: websockets.ClientConnection, begin: float) -> list[float]:
    """Seconds from the worker's writing to the viewer's reading, of each frame with a picture from ``begin`` on."""
    ages: list[float] = []
    while (left := begin + SECONDS - time.monotonic()) > 0:
        try:
            frame = await asyncio.wait_for(socket.recv(decode=False), left)
        except TimeoutError:
            break
        now = time.time()
        (length,) = struct.unpack_from("<I", frame)
        if time.monotonic() >= begin and len(frame) > 4 + length:
            (written,) = struct.unpack_from("<d", frame, 4 + length)
            ages.append(now - written)
    return ages


def _milliseconds(sorted_seconds: Sequence[float], share: float) -> int | None:
    if not sorted_seconds:
        return None
    return round(sorted_seconds[min(len(sorted_seconds) - 1, int(len(sorted_seconds) * share))] * 1000)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--view"]:
        print(json.dumps(view(*sys.argv[2:4])))
    else:
        report(measure, __doc__)
