"""From pressing Train to the first point of the chart, in a browser, engine warm: the median of five.

``python -m benchmarks.press_to_first_point --json``; the bar is 1.5 s for each recipe.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page

from benchmarks.report import Skipped, note, report
from benchmarks.runs import end_runs, store_of
from playground.cli.chromium import find_chromium
from playground.data import mnist
from playground.recipes import recipe
from playground.settings import Settings
from playground.spec import Experiment, changed
from playground.spec.data import Mnist
from playground.store import Store
from tests.browser.app import App, running_app
from tests.browser.chrome import chromium
from tests.browser.looks import rest, train, wait_for_points

RECIPES = ("mnist-mlp-128", "digits-mlp")
TIMES = 5


class Press(NamedTuple):
    """One press of Train, in seconds: to the point on the chart, in the queue, from the worker's start to its point."""

    seconds: float
    queued: float
    in_worker: float


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
            presses = [_press(page, store, changed(experiment, seed=seed)) for seed in range(TIMES + 1)][1:]
            result[name] = {
                "median_seconds": round(statistics.median(press.seconds for press in presses), 2),
                "seconds": [round(press.seconds, 2) for press in presses],
                "of_which_queued": round(statistics.median(press.queued for press in presses), 2),
                "of_which_in_worker": round(statistics.median(press.in_worker for press in presses), 2),
            }
    return result


def _folders(app: App) -> tuple[Path, ...]:
    return Settings(home=app.home, data=app.environment["PLAYGROUND_DATA"]).data_folders


def _press(page: Page, store: Store, experiment: Experiment) -> Press:
    """Open the experiment, press Train, wait for the first point, end the run."""
    page.goto(f"/build?experiment={store.share(experiment)}")
    page.get_by_text("Engine ready").wait_for(timeout=120_000)
    page.get_by_text("while training").wait_for()  # described
    rest(page)
    begin = time.monotonic()
    train(page)
    wait_for_points(page)
    took = time.monotonic() - begin
    end_runs(store)
    run = store.runs(limit=1)[0]
    first_metric = run.facts["seconds"]["first_metric"]  # type: ignore[index]
    return Press(took, (run.started or run.created) - run.created, first_metric)


if __name__ == "__main__":
    report(measure, __doc__)
