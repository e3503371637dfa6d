"""The engine's functions as trivial ones, so that the engine is tested without TensorFlow.

A run does what its experiment's name says: a number of seconds to train for, or one of the words below.
"""

import os
import signal
import threading
import time
from pathlib import Path

from playground.errors import LayerError
from playground.records import Event, Progress
from playground.settings import Settings
from playground.store import open_store


def device() -> str:
    return "fake device"


def warm_up() -> str:
    return "fake device, warm"


def train(run_id: str, lease: str) -> None:
    settings = Settings()
    store = open_store(settings.database, settings.artifacts)
    name = store.run(run_id).experiment.name
    facts: dict[str, object] = {"pid": os.getpid(), "nice": os.nice(0), "began": time.monotonic()}
    with (settings.home / "trained.txt").open("a") as file:
        file.write(f"{run_id}\n")
    if name == "raise":
        raise ValueError("a fault of ours")
    if name == "vanish":
        return
    if name == "stop itself":
        os.kill(os.getpid(), signal.SIGSTOP)
    if name.startswith("silent "):
        time.sleep(float(name.removeprefix("silent ")))
        name = "0.1"
    began = time.monotonic()
    epoch = 0.0
    while time.monotonic() - began < float(name):
        epoch = (time.monotonic() - began) / float(name)
        store.report(run_id, lease, Progress(epoch=epoch, phase="training"))
        if store.controls(run_id).stop:
            store.apply(run_id, lease, Event.STOP)
            return
        time.sleep(0.05)
    store.apply(run_id, lease, Event.FINISH, facts={**facts, "ended": time.monotonic()})


def describe(experiment: str) -> dict[str, object]:
    return {"said": experiment, "pid": os.getpid(), "thread": threading.get_ident()}


def preview(what: str) -> str:
    """Answers that are errors, or take their time."""
    if what == "layer":
        raise LayerError("Flatten is missing. Put one first.", 3)
    if what == "fault":
        raise RuntimeError("a fault of ours")
    if what == "exit":
        os._exit(1)
    time.sleep(float(what))
    return what


def fetch(name: str) -> str:
    """Everything that a model from a stranger could read here."""
    return repr(dict(os.environ)) + Path("/proc/self/environ").read_text()
