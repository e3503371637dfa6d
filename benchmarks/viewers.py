"""Forty people watch one running run: how many of the page's refreshes are answered, and how fast.

``python -m benchmarks.viewers --json``; the bar is ``answered`` ≥ 0.98 and ``p95_ms`` ≤ 250 with nothing lost.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import note, report
from benchmarks.runs import ENDLESS, points, store_of, wait_until
from benchmarks.streamlit_client import Seen, Viewer
from tests.browser.app import running_app

VIEWERS = 40
SECONDS = 30.0
PAGE = "build"


def measure() -> dict[str, Any]:
    """Start an app, let it train for as long as it takes, and put the viewers in front of it."""
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app:
        store = store_of(app)
        run_id = store.create_run(ENDLESS).id
        wait_until(lambda: len(points(store, run_id)) > 3, 90, "a run that moves")
        # One looks first, as whoever started the run did: the engine's answers are then known to the page.
        asyncio.run(Viewer(app.url, PAGE, f"run={run_id}").watch(5))
        note(f"{VIEWERS} viewers for {SECONDS:.0f} s…")
        before = app.process.cpu_times()
        outcomes = asyncio.run(_watch(app.url, f"run={run_id}"))
        after = app.process.cpu_times()
    used = after.user + after.system - before.user - before.system
    seen = [outcome for outcome in outcomes if isinstance(outcome, Seen)]
    answers = sorted(answer for viewer in seen for answer in viewer.answers)
    due, answered = sum(viewer.due for viewer in seen), sum(viewer.answered for viewer in seen)
    return {
        "viewers": VIEWERS,
        "answered": round(answered / due, 3) if due else None,
        "p50_ms": _milliseconds(answers, 0.5),
        "p95_ms": _milliseconds(answers, 0.95),
        "first_page_p95_ms": _milliseconds(sorted(v.first_paint or SECONDS for v in seen), 0.95),
        "refreshes_per_second": round(answered / SECONDS, 1),
        "kilobytes_per_refresh": round(sum(v.received for v in seen) / 1000 / max(1, answered), 1),
        "web_process_cores": round(used / SECONDS, 2),
        "exceptions_shown": sum(viewer.exceptions for viewer in seen),
        "never_painted": sum(viewer.first_paint is None for viewer in seen),
        "sessions_lost": len(outcomes) - len(seen),
    }


async def _watch(url: str, query: str) -> Sequence[Seen | BaseException]:
    async def one(index: int) -> Seen:
        await asyncio.sleep(index * 0.05)  # people do not arrive in the same millisecond
        return await Viewer(url, PAGE, query).watch(SECONDS)

    return await asyncio.gather(*(one(index) for index in range(VIEWERS)), return_exceptions=True)


def _milliseconds(sorted_seconds: Sequence[float], share: float) -> int | None:
    if not sorted_seconds:
        return None
    return round(sorted_seconds[min(len(sorted_seconds) - 1, int(len(sorted_seconds) * share))] * 1000)


if __name__ == "__main__":
    report(measure, __doc__)
