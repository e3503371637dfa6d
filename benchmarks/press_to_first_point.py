"""From pressing Train to the first point of the chart, in a browser, engine warm: the median of five.

``python -m benchmarks.press_to_first_point --json``; the bar is 1.5 s for each recipe.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.report import Skipped, note, report
from benchmarks.runs import store_of, wait_until
from playground.cli.chromium import find_chromium
from playground.data import mnist
from playground.recipes import recipe
from playground.settings import Settings
from playground.spec import Experiment, changed
from playground.spec.data import Mnist
from playground.store import Store
from tests.browser.app import App, running_app
from tests.browser.chrome import chromium
from tests.browser.looks import stop, train, wait_for_points

RECIPES = ("mnist-mlp-128", "digits-mlp")
TIMES = 5


def measure() -> dict[str, Any]:
    """Each recipe once to warm up, then five times with another seed and the page opened anew."""
    if not find_chromium():
        raise Skipped("no Chromium on this machine; make test installs one")
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app, chromium() as browser:
        store, page = store_of(app), browser.new_page(base_url=app.url)
        for name in RECIPES:
            if name.startswith("mnist") and not mnist.find(Mnist, _folders(app)):
                result[name] = {"skipped": "MNIST is not on this machine"}
                continue
            experiment = recipe(name).experiment
            note(f"{name}…")
            seconds = [_press(page, store, changed(experiment, seed=seed)) for seed in range(TIMES + 1)]
            result[name] = {
                "median_seconds": round(statistics.median(seconds[1:]), 2),
                "seconds": [round(second, 2) for second in seconds[1:]],
            }
    return result


def _folders(app: App) -> tuple[Path, ...]:
    return Settings(home=app.home, data=app.environment["PLAYGROUND_DATA"]).data_folders


def _press(page: Page, store: Store, experiment: Experiment) -> float:
    """Open the experiment, press Train, wait for the first point, stop."""
    page.goto(f"/build?experiment={store.share(experiment)}")
    page.get_by_text("Engine ready").wait_for(timeout=120_000)
    page.get_by_text("while training").wait_for()  # described: the page has come to rest
    begin = time.monotonic()
    train(page)
    wait_for_points(page)
    took = time.monotonic() - begin
    stop(page)
    wait_until(lambda: all(run.status.is_over for run in store.runs()), 60, "the run to stop")
    return took


if __name__ == "__main__":
    report(measure, __doc__)
