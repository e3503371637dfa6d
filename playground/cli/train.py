"""The command ``train``: trains here and now, in the same store and under the same lease as the app's engine."""

import argparse
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from playground.cli.asked import describe_network, read_base, read_experiment
from playground.cli.output import hush, print_json, print_table
from playground.cli.progress import Bar
from playground.data import mnist
from playground.jobs import InlineJobs, Jobs
from playground.records import Run, RunStatus
from playground.settings import Settings
from playground.spec import Experiment, changed
from playground.spec.saved import Saved
from playground.store import Store, open_store

EXIT_CODES = {RunStatus.DONE: 0, RunStatus.STOPPED: 130}
"""Every other end is a failure: 1."""

REFRESH_SECONDS = 0.25


def train(options: argparse.Namespace, settings: Settings) -> int:
    """Train an experiment, show on standard error how it goes, and print its scores.

    A recipe that fine-tunes has its base trained first, from the same seed. Ctrl-C asks the run to stop; its weights
    are kept.
    """
    experiment, base = read_experiment(options), read_base(options)
    answers = hush(settings)
    jobs = InlineJobs(settings)
    for one in filter(None, (base, experiment)):
        describe_network(one, jobs)
        _fetch_if_missing(one, jobs, settings)
    store = open_store(settings.database, settings.artifacts)
    first = None
    if base is not None and experiment.start is not None:
        run = first = _watch(store, jobs, store.create_run(base, owner="terminal"))
        experiment = changed(experiment, start=changed(experiment.start, base=Saved(run=first.id)))
    if first is None or first.status is RunStatus.DONE:
        run = _watch(store, jobs, store.create_run(experiment, owner="terminal"))
    if options.json:
        print_json(_summary(run) | ({"base": _summary(first)} if first else {}), answers)
    elif run.scores:
        print_table(("score", "value"), [(name, f"{value:.4g}") for name, value in sorted(run.scores.items())], answers)
    if run.status is not RunStatus.DONE:
        print(run.message or f"The run is {run.status}.", file=sys.stderr)
    return EXIT_CODES.get(run.status, 1)


def _fetch_if_missing(experiment: Experiment, jobs: Jobs, settings: Settings) -> None:
    """Have Keras download a data set that is in none of the folders. Raises DataMissing where it cannot."""
    data = experiment.data
    if type(data) in mnist.SOURCES and not mnist.find(type(data), settings.data_folders):
        print(f"{data.label} is not on this machine; Keras downloads it.", file=sys.stderr)
        jobs.ask("fetch", data.kind, timeout=math.inf)


def _watch(store: Store, jobs: Jobs, run: Run) -> Run:
    """Train ``run`` in a thread of its own while this one shows its progress; the run as it ended."""
    claimed = store.claim(f"terminal {os.getpid()}", run_id=run.id)
    if claimed is None:  # the engine of an open app was quicker: it trains, this command watches
        _show_until(lambda: store.run(run.id).status.is_over, store, run.id)
        return store.run(run.id)
    lease = claimed[1]
    with ThreadPoolExecutor(1, "train") as pool:
        work = pool.submit(jobs.ask, "train", run.id, lease, timeout=math.inf)
        _show_until(work.done, store, run.id)
    error = work.exception()
    if error is not None and not store.run(run.id).status.is_over:
        store.lose(run.id, lease, "The training broke off.")
        raise error
    return store.run(run.id)


def _show_until(is_over: Callable[[], bool], store: Store, run_id: str) -> None:
    with Bar(store, run_id) as bar, _interrupts() as interrupted:
        while not is_over():
            bar.draw()
            if interrupted.wait(REFRESH_SECONDS):
                interrupted.clear()
                store.request(run_id, stop=True)
                bar.say("Stopping; the weights are kept.")


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Set at Ctrl-C. As an exception it might be raised where Python ignores exceptions, and be lost."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _summary(run: Run) -> dict[str, Any]:
    """What ``--json`` prints."""
    tuned: dict[str, Any] = {name: run.facts[name] for name in ("before", "old_task") if name in run.facts}
    return {
        "run_id": run.id,
        "status": run.status,
        "epochs": run.facts.get("epochs", 0),
        "metrics": run.scores,
        "examples_per_second": run.facts.get("examples_per_second"),
        "seconds": run.facts.get("seconds", {}),
        **tuned,
    }
