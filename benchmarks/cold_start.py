"""From nothing: ``make run`` to a moving curve, ``streamlit run`` to a usable page, and what the web process weighs.

``python -m benchmarks.cold_start --json``; the bars are 15 s, 3 s, 350 MB and no TensorFlow. The machine is installed
(``make setup``), no engine lives, the store is empty. Beside them stands what Streamlit itself takes for a page
with one button: machines are shared, and their speed changes.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

from benchmarks.report import Skipped, note, report
from playground.cli.chromium import find_chromium
from tests.browser.app import ROOT, environment_for, free_port, stop_engine
from tests.browser.chrome import chromium
from tests.browser.looks import train, wait_for_points

ONE_BUTTON = """
import streamlit as st

with st.container(key="begin_play"):
    st.button("Play")
"""
SECONDS_TO_SETTLE = 5
"""An engine's workers end after it; what starts next is not to share the machine with them."""

# JavaScript: whether there is such an element, and it has been laid out.
IS_DRAWN = "selector => document.querySelector(selector)?.getBoundingClientRect().width > 0"

STREAMLIT_RUN = [str(ROOT / ".venv" / "bin" / "streamlit"), "run", "app.py"]


def measure() -> dict[str, Any]:
    """Four starts, each in a home of its own, and one of an app with a single button."""
    if not find_chromium():
        raise Skipped("no Chromium on this machine; make test installs one")
    if not (make := shutil.which("make")) or not Path(STREAMLIT_RUN[0]).exists():
        raise Skipped("make and an installed .venv are needed; make setup installs it")
    with chromium() as browser:
        # The browser itself is warm: what is measured is the playground.
        note("make run, and Train pressed at once…")
        with _started([make, "run"], browser) as (page, begin, _):
            pressed = time.monotonic() - begin
            train(page)
            first = wait_for_points(page, seconds=120)
            appeared = time.monotonic() - begin
            wait_for_points(page, more_than=first)
            moving = time.monotonic() - begin
        note("streamlit run, and its first page…")
        with _started(STREAMLIT_RUN, browser, "/", "begin_play") as (page, begin, _):
            usable = time.monotonic() - begin
        note("streamlit run of a page with one button…")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / ".streamlit", Path(folder) / ".streamlit")
            (Path(folder) / "app.py").write_text(ONE_BUTTON, encoding="utf-8")
            with _started(STREAMLIT_RUN, browser, "/", "begin_play", Path(folder)) as (page, begin, _):
                one_button = time.monotonic() - begin
        note("streamlit run, and the page Build & train…")
        with _started(STREAMLIT_RUN, browser) as (page, begin, process):
            build_usable = time.monotonic() - begin
            page.get_by_text("Engine ready").wait_for(timeout=120_000)
            ready = time.monotonic() - begin
            while not _has_loaded(process, "pandas"):  # the last that it imports by itself: `warming.LATER`
                time.sleep(0.5)
            time.sleep(SECONDS_TO_SETTLE)
            resident, has_tensorflow = process.memory_info().rss, _has_loaded(process, "tensorflow")
    return {
        "make_run_to_moving_curve_seconds": round(moving, 1),
        "of_which_until_train_was_pressed": round(pressed, 1),
        "of_which_until_the_first_point": round(appeared, 1),
        "streamlit_run_to_usable_page_seconds": round(usable, 1),
        "streamlit_run_to_one_button_seconds": round(one_button, 1),
        "streamlit_run_to_usable_build_page_seconds": round(build_usable, 1),
        "streamlit_run_to_ready_engine_seconds": round(ready, 1),
        "web_process_megabytes": round(resident / 1e6),
        "web_process_has_tensorflow": has_tensorflow,
    }


@contextmanager
def _started(
    command: list[str], browser: Browser, path: str = "/build", button: str = "train", folder: Path = ROOT
) -> Iterator[tuple[Page, float, psutil.Process]]:
    """Run ``command`` of ``folder`` in an empty home; a page with the button of this key, when it began, and the web
    process."""
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        environment = environment_for(Path(home)) | {
            "STREAMLIT_SERVER_PORT": str(port),
            "STREAMLIT_SERVER_HEADLESS": "true",
        }
        page = browser.new_page(base_url=f"http://localhost:{port}")
        begin = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            # Streamlit opens the browser when its server answers, not when the playground is warm.
            _wait_for_answer(f"http://localhost:{port}/_stcore/health", process)
            page.goto(path, wait_until="commit")
            # At every frame: Playwright's own waiting looks twice a second in the end.
            page.wait_for_function(IS_DRAWN, arg=f".st-key-{button} button", polling="raf")
            family = psutil.Process(process.pid)
            yield page, begin, next((p for p in family.children(recursive=True) if "app.py" in p.cmdline()), family)
        finally:
            page.close()
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            stop_engine(environment)
            time.sleep(SECONDS_TO_SETTLE)


def _has_loaded(process: psutil.Process, package: str) -> bool:
    return any(package in file.path for file in process.memory_maps())


def _wait_for_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it answered")


if __name__ == "__main__":
    report(measure, __doc__)
