"""What all tests of pages share: a store, a desk that answers questions without Keras, and the lab between them."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from playground.lab import Lab
from playground.settings import Settings
from playground.store import Store, open_store
from playground.ui import resources, state
from tests.desk import Desk


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """An empty store in a file."""
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield store


@pytest.fixture
def desk(store: Store) -> Desk:
    """Answers with arithmetic and the real data."""
    return Desk(store)


@pytest.fixture(autouse=True)
def lab(store: Store, desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The laboratory that every page of this test uses. It waits for answers and remembers no moment of a run."""
    monkeypatch.setattr("playground.lab.lab.PATIENCE", 60)
    monkeypatch.setattr("playground.lab.lab.PROBE_PATIENCE", 60)
    monkeypatch.setattr("playground.lab.watching.FRESH", 0)
    monkeypatch.setattr(state, "owner", lambda: "me")  # AppTest has no cookies
    lab = Lab(store, desk, settings)
    monkeypatch.setattr(resources, "lab", lambda: lab)
    return lab
