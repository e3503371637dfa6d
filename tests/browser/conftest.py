"""One app and one Chromium for the tests of a file; a fresh browser context for each."""

import urllib.parse
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.runs import end_runs, store_of
from playground.cli.chromium import find_chromium
from playground.store import Store
from tests.browser.app import App, running_app
from tests.browser.chrome import chromium

PATIENCE = 60_000
"""Milliseconds; an engine that starts beside a browser on two cores needs a third of it."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[App]:
    with running_app(tmp_path_factory.mktemp("app")) as app:
        yield app


# Playwright's event loop runs as long as the browser lives: not beyond this file, for other tests run their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not find_chromium():
        pytest.skip("no Chromium on this machine; make test installs one")
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(app, browser) -> Iterator[Page]:
    """A page of 1280 × 900 pixels. In the end every request must have stayed with the app."""
    context = browser.new_context(base_url=app.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield context.new_page()
    context.close()
    parts = map(urllib.parse.urlsplit, asked)
    hosts = {part.netloc for part in parts if part.scheme not in ("data", "blob")}
    assert hosts == {urllib.parse.urlsplit(app.url).netloc}


@pytest.fixture
def store(app) -> Iterator[Store]:
    """The app's store. What a test leaves running is stopped: there is one train worker."""
    store = store_of(app)
    yield store
    end_runs(store)
