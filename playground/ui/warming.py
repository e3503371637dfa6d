"""Importing what pages need while the server answers already: the browser loads Streamlit's own scripts meanwhile.

Whatever this module imports itself is imported before the server answers at all.
"""

import inspect
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from threading import Event, Thread
from typing import Any

from playground.errors import PlaygroundError
from playground.imports import importing

log = logging.getLogger("playground")

WARM = Event()
"""Whether pages can be drawn at once. Set where nobody warms up, as in tests."""
WARM.set()

FIRST = (
    "PIL.ImageFile", "streamlit.material_icon_names", "playground.ui.frame", "playground.ui.bench",
    "playground.ui.cards", "playground.ui.data_section", "playground.ui.layer_stack", "playground.ui.live",
    "playground.ui.training_section",
)  # fmt: skip
LATER = (
    "pandas", "pyarrow.pandas_compat", "streamlit.elements.vega_charts", "playground.ui.judging",
    "playground.ui.run_table", "playground.ui.trying",
)  # fmt: skip
"""What only pages with tables and charts need."""
SECONDS_FOR_ENGINE, SECONDS_FOR_RUN = 30, 4
"""How long that waits for an engine that starts, and then for the run that may have waited for it to draw a curve."""


def begin() -> None:
    """Import, open the store and start the engine, in a thread; ``WARM`` tells when pages can be drawn."""
    WARM.clear()
    Thread(target=_warm_up, name="warm up", daemon=True).start()


def _warm_up() -> None:
    try:
        with importing():
            _import(FIRST)
        _resources().lab()
        # Streamlit asks it at a process's first element; Python then looks up the file of every module: 50 ms, or 170
        # beside a browser that starts as well.
        inspect.stack()
    except PlaygroundError as error:  # every page will say so, and try again
        log.error("No page can be drawn: %s", error)
    finally:
        WARM.set()
    # The engine loads TensorFlow for seconds, on all cores there are: the first page goes first.
    try:
        _resources().engine()
    except PlaygroundError as error:
        log.error("The engine could not be started: %s", error)
    _wait_for_engine()
    with importing():
        _import(LATER)


def _wait_for_engine() -> None:
    """Leave the processor to those who wait: the browser, which draws the first page, the engine, and its first run."""
    lab, since = _resources().lab, time.monotonic()
    with suppress(PlaygroundError):
        if lab().engine_status().state != "starting":
            return
        while lab().engine_status().state == "starting" and time.monotonic() - since < SECONDS_FOR_ENGINE:
            time.sleep(0.5)
        time.sleep(SECONDS_FOR_RUN)


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        import_module(module)


def _resources() -> Any:
    """Imported by name, for it brings nearly all there is with it."""
    return import_module("playground.ui.resources")
