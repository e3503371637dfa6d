"""Frames a second that a browser draws of the playground while a network learns at watching speed.

``python -m benchmarks.frames --json``; the bar is 30, by the median of 0.5 s intervals (on the processor alone, without
a GPU for drawing, and beside the training).
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import Skipped, report
from benchmarks.runs import end_runs, store_of, wait_until
from playground.cli.chromium import find_chromium
from tests.browser.app import running_app
from tests.browser.chrome import chromium
from tests.browser.looks import rest

BAR = 30
COUNT = """intervals => new Promise(done => {
    const counts = [];
    let frames = 0, since = performance.now();
    const step = now => {
        frames++;
        if (now - since >= 500) {
            counts.push(frames * 1000 / (now - since));
            frames = 0;
            since = now;
        }
        counts.length < intervals ? requestAnimationFrame(step) : done(counts);
    };
    requestAnimationFrame(step);
})"""


def measure() -> dict[str, Any]:
    """Play for ten seconds, and count."""
    if not find_chromium():
        raise Skipped("no Chromium on this machine; make test installs one")
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app, chromium() as browser:
        store, page = store_of(app), browser.new_page(base_url=app.url, viewport={"width": 1280, "height": 900})
        page.goto("/play")
        page.get_by_text("Engine ready").wait_for(timeout=120_000)
        rest(page)
        page.get_by_role("button", name="Play", exact=True).click()
        wait_until(lambda: bool(store.runs()) and store.runs()[0].progress.epoch > 10, 60, "the network to move")
        counts = page.evaluate(COUNT, 20)
        end_runs(store)
    found = statistics.median(counts)
    return {"frames_per_second": round(found, 1), "fewest": round(min(counts), 1), "met": found >= BAR}


if __name__ == "__main__":
    report(measure, __doc__)
