"""Noise-free spirals on the playground's page, its own settings, full speed: right on fresh points within ten seconds?

``python -m benchmarks.spirals --json``; engine warm; the bar is 99 % of 1,000 fresh points ten seconds after play was
pressed in a browser, for every seed.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.report import Skipped, note, report
from benchmarks.runs import end_runs, store_of, wait_until
from playground.cli.chromium import find_chromium
from playground.data import load
from playground.engine.model.restore import restore
from playground.lab.play import PLAY
from playground.spec import changed
from playground.spec.saved import Saved
from playground.store import Store
from tests.browser.app import running_app
from tests.browser.chrome import chromium
from tests.browser.looks import rest

SEEDS = range(5)
SECONDS, BAR, FRESH = 10.0, 0.99, 1000


def measure() -> dict[str, Any]:
    """Play with a few seeds, as a person does."""
    if not find_chromium():
        raise Skipped("no Chromium on this machine; make test installs one")
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app, chromium() as browser:
        store, page = store_of(app), browser.new_page(base_url=app.url)
        _play(page, store, 1000)  # warms the engine
        shares = []
        for seed in SEEDS:
            note(f"seed {seed}…")
            shares.append(_play(page, store, seed))
    return {"right_on_fresh_points": shares, "met": min(shares) >= BAR}


def _play(page: Page, store: Store, seed: int) -> float:
    """Press play at full speed and pause ten seconds later: the share of fresh points that are right."""
    page.goto(f"/play?experiment={store.share(changed(PLAY, seed=seed))}")
    page.get_by_text("Engine ready").wait_for(timeout=120_000)
    speed = page.locator("[data-testid=stSelectbox]").filter(has_text="Speed").get_by_role("combobox")
    speed.fill("Full speed")
    speed.press("Enter")
    rest(page)
    page.get_by_role("button", name="Play", exact=True).click()
    time.sleep(SECONDS)
    run = store.runs(limit=1)[0]
    store.request(run.id, pause=True)
    wait_until(lambda: not store.run(run.id).status.is_live or store.run(run.id).status == "paused", 10, "the pause")
    end_runs(store)  # which writes the weights
    return right_on_fresh_points(store, run.id)


def right_on_fresh_points(store: Store, run_id: str) -> float:
    """The share of 1,000 points that nobody has seen on which the newest weights of a run are right."""
    restored = restore(store, Saved(run=run_id))
    spec, seed = restored.experiment.data, restored.experiment.seed
    fresh = load(changed(spec, samples=2 * FRESH, test_fraction=0.5, scaling="none"), seed + 10_000, ())
    x = load(spec, seed, ()).scaler.transform(fresh.x_test[:FRESH])
    return float(((restored.scores(x) > 0.5) == fresh.y_test[:FRESH]).mean())


if __name__ == "__main__":
    report(measure, __doc__)
