"""The engine's life as seen from outside: start it, replace it, end it."""

import importlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from playground.address import Place, edition
from playground.settings import Settings

SERVICE = "playground.engine.service"
"""Named, never imported here: with it would come the engine."""

STOP_SECONDS = 15.0

DETACHED: Mapping[str, Any]
"""The engine outlives the process that started it, and does not get its Ctrl-C."""
if sys.platform == "win32":
    DETACHED = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    DETACHED = {"start_new_session": True}


def serve(settings: Settings) -> None:
    """Be the engine, in this process, until nobody needs it."""
    importlib.import_module(SERVICE).run(settings)


def start_engine(settings: Settings, worker: str = "") -> None:
    """Make sure that an engine of this edition lives or is about to; returns at once.

    An engine of another version, of other settings or of older source is asked to finish its runs, and replaced. With a
    remote scheduler there is nothing to start.

    Args:
        settings: whose ``home`` the engine serves.
        worker: module whose functions may be called by name, in place of the usual one.
    """
    if settings.engine:
        return
    place = Place(settings)
    if place.occupied(patience=0.1):
        present = place.read()
        if present is None or present.edition == edition(settings):
            return
        place.ask_to_leave(present.nonce, "finish")
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", SERVICE, *([worker] if worker else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings.environ()},
            **DETACHED,
        )
    # Whoever starts a process has to take note of its end, or it stays in the process table.
    threading.Thread(target=process.wait, name="engine", daemon=True).start()


def stop_engine(settings: Settings) -> bool:
    """Ask the engine to end at once and wait until it has; its runs are interrupted. Whether it is gone."""
    place = Place(settings)
    present = place.read()
    if present is not None and place.occupied():
        place.ask_to_leave(present.nonce, "now")
    deadline = time.monotonic() + STOP_SECONDS
    while place.occupied() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not place.occupied()
