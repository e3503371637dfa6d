"""Runs that the benchmarks look at, through the store that the app uses."""

import time
from collections.abc import Callable

from playground.records import Point
from playground.settings import Settings
from playground.spec import Experiment, Model, Training
from playground.spec.data import Digits
from playground.spec.layers import Dense, Flatten
from playground.spec.losses import SparseCategoricalCrossentropy
from playground.store import Store, open_store
from tests.browser.app import App

ENDLESS = Experiment(
    name="Endless digits",
    data=Digits(),
    model=Model(layers=(Flatten(), Dense(units=128, activation="relu"))),
    training=Training(loss=SparseCategoricalCrossentropy(), metrics=("accuracy",), epochs=100_000),
)
"""Outlasts every benchmark."""


def store_of(app: App) -> Store:
    """The store that ``app`` reads and writes."""
    settings = Settings(home=app.home)
    return open_store(settings.database, settings.artifacts)


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Look every 20 ms; the seconds it took.

    Raises:
        TimeoutError: it did not come true in ``seconds``.
    """
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > seconds:
            raise TimeoutError(f"Still waiting after {seconds:.0f} s for {what}")
        time.sleep(0.02)
    return time.monotonic() - begin


def points(store: Store, run_id: str) -> list[Point]:
    """Every point of a run so far."""
    return store.points(run_id)[0]


def end_runs(store: Store) -> None:
    """Stop whatever is queued or trains, and wait until it has ended."""
    for run in store.runs():
        if not run.status.is_over:
            store.request(run.id, stop=True)
    wait_until(lambda: all(run.status.is_over for run in store.runs()), 60, "the runs to stop")
