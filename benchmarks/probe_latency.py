"""Probes into a trained MNIST CNN, engine warm: from a new input to its layers on screen, and the computing alone.

``python -m benchmarks.probe_latency --json``; the bar is ``layers_p95_seconds`` ≤ 1.
"""

import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.report import Skipped, note, report
from benchmarks.runs import store_of, wait_until
from playground.cli.chromium import find_chromium
from playground.data import mnist
from playground.engine.probes import answer
from playground.recipes import recipe
from playground.settings import Settings
from playground.spec import with_settings
from playground.spec.data import Mnist
from playground.spec.probes import Activations, GradCam, Probe, Saliency, Strongest, Units
from playground.spec.saved import Saved
from tests.browser.app import App, running_app
from tests.browser.chrome import chromium
from tests.browser.looks import rest

TIMES = 20
PICTURES = {"layers": ".layer img", "saliency": ".saliency img"}


def measure() -> dict[str, Any]:
    """Train one epoch, then show one example after the other; then ask each probe in this process."""
    if not find_chromium():
        raise Skipped("no Chromium on this machine; make test installs one")
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app, chromium() as browser:
        settings = Settings(home=app.home, data=app.environment["PLAYGROUND_DATA"])
        if not mnist.find(Mnist, settings.data_folders):
            raise Skipped("MNIST is not on this machine; put mnist.npz into a folder of PLAYGROUND_DATA")
        run_id = _trained(app)
        on_screen = _on_screen(browser.new_page(base_url=app.url), run_id)
        alone = _alone(app, settings, run_id)
    return {
        **{f"{name}_p95_seconds": round(_p95(seconds), 3) for name, seconds in on_screen.items()},
        **{f"{name}_median_seconds": round(statistics.median(seconds), 3) for name, seconds in on_screen.items()},
        "computing_median_seconds": alone,
    }


def _trained(app: App) -> str:
    note("training mnist-cnn for an epoch…")
    store = store_of(app)
    run = store.create_run(with_settings(recipe("mnist-cnn").experiment, ["training.epochs=1"]))
    wait_until(lambda: store.run(run.id).status.is_over, 300, "the run to end")
    return run.id


def _on_screen(page: Page, run_id: str) -> dict[str, list[float]]:
    """Seconds from Enter behind an example's number to the new pictures, by what they show."""
    note(f"{TIMES} examples on the page…")
    page.goto(f"/activations?run={run_id}")
    for selector in PICTURES.values():
        page.locator(selector).first.wait_for(timeout=120_000)
    rest(page, 2)
    field = page.get_by_label("Example", exact=True)
    seconds: dict[str, list[float]] = {name: [] for name in PICTURES}
    for index in range(1, TIMES + 3):
        last = {name: page.locator(selector).last.get_attribute("src") for name, selector in PICTURES.items()}
        field.fill(str(index))
        begin = time.monotonic()
        field.press("Enter")
        for name, selector in PICTURES.items():
            # The activation of the first layer is another for every example.
            page.wait_for_function(_CHANGED, arg=[selector, last[name]], polling=10)
            if index > 2:  # the first two warm up
                seconds[name].append(time.monotonic() - begin)
        rest(page)
    return seconds


_CHANGED = "([selector, before]) => [...document.querySelectorAll(selector)].at(-1)?.src !== before"


def _alone(app: App, settings: Settings, run_id: str) -> dict[str, float]:
    """Median seconds of a probe without process and page around it."""
    saved = Saved(run=run_id, epoch=1)
    probes: dict[str, list[Probe]] = {
        "activations": [Activations(index=k) for k in range(11)],
        "saliency": [Saliency(index=k, classes=(3, 8)) for k in range(11)],
        "integrated_gradients": [
            Saliency(index=k, classes=(3, 8), method="integrated_gradients") for k in range(11)
        ],
        "grad_cam": [GradCam(index=k, classes=(3, 8)) for k in range(11)],
        "units": [Units()] * 5,
        "strongest": [Strongest()] * 5,
    }  # fmt: skip
    with closing(store_of(app)) as store:

        def took(asked: Probe) -> float:
            begin = time.monotonic()
            answer(store, settings, saved, asked)
            return time.monotonic() - begin

        return {
            name: round(statistics.median([took(asked) for asked in series][1:]), 4) for name, series in probes.items()
        }


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * len(seconds))]


if __name__ == "__main__":
    report(measure, __doc__)
