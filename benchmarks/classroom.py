"""A class of eight presses play on spirals within five seconds: how long until each run has moved.

``python -m benchmarks.classroom --json``; one train worker; the bar is three seconds for the slowest, engine warm.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import note, report
from benchmarks.runs import points, store_of, wait_until
from playground.recipes import recipe
from playground.spec import changed
from tests.browser.app import running_app

LEARNERS = 8
ARRIVAL_SECONDS = 5.0


def measure() -> dict[str, Any]:
    """Warm the engine with one run, then launch eight, each of another owner and another seed."""
    spirals = recipe("spirals").experiment
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app:
        store = store_of(app)
        first = store.create_run(spirals, owner="teacher")
        wait_until(lambda: store.run(first.id).status.is_over, 120, "the first run")
        note(f"{LEARNERS} learners press play…")
        pressed: dict[str, float] = {}
        moved: dict[str, float] = {}
        begin = time.monotonic()
        while len(moved) < LEARNERS:
            now = time.monotonic() - begin
            if len(pressed) < LEARNERS and now >= len(pressed) * ARRIVAL_SECONDS / LEARNERS:
                seed = len(pressed) + 1
                run = store.create_run(changed(spirals, seed=seed), owner=f"learner {seed}")
                pressed[run.id] = time.monotonic()
            for run_id in pressed.keys() - moved.keys():
                if points(store, run_id):
                    moved[run_id] = time.monotonic() - pressed[run_id]
            if now > 120:
                raise TimeoutError(f"Only {len(moved)} of {LEARNERS} runs moved within two minutes")
            time.sleep(0.02)
        runs = [store.run(run_id) for run_id in pressed]
        wait_until(lambda: all(store.run(run.id).status.is_over for run in runs), 300, "the class to finish")
        ends = [str(store.run(run.id).status) for run in runs]
    return {
        "learners": LEARNERS,
        "slowest_seconds": round(max(moved.values()), 2),
        "median_seconds": round(statistics.median(moved.values()), 2),
        "ended": {status: ends.count(status) for status in sorted(set(ends))},
    }


if __name__ == "__main__":
    report(measure, __doc__)
