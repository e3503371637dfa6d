"""What all tests share. Every test has a home of its own; none touches the user's."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from playground.settings import Settings
from playground.store import Store, open_store

POSTGRES = os.environ.get("PLAYGROUND_TEST_POSTGRES", "")
SHARED_BACKENDS = ["file", "postgres"] if POSTGRES else ["file"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where no test with Keras is wanted: a file of nothing else is not even read, for that loads TensorFlow."""
    if "not keras" not in config.option.markexpr or not collection_path.match("test_*.py"):
        return None
    return bool(re.search(r"^pytestmark = .*\bmark\.keras\b", collection_path.read_text("utf-8"), re.MULTILINE)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several tests run at once: a file's together for its fixtures, and one engine or browser at a time."""
    for item in items:
        heavy = any(item.get_closest_marker(name) for name in ("engine", "browser"))
        item.add_marker(pytest.mark.xdist_group("processes" if heavy else item.nodeid.partition("::")[0]))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of this test's own."""
    return Settings(home=tmp_path)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty schema in the database named by PLAYGROUND_TEST_POSTGRES."""
    schema = f"test_{secrets.token_hex(8)}"
    engine = create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


def _url(backend: str, request: pytest.FixtureRequest, settings: Settings) -> str:
    if backend == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return "sqlite://" if backend == "memory" else settings.database


@pytest.fixture(params=SHARED_BACKENDS)
def shared_url(request: pytest.FixtureRequest, settings: Settings) -> str:
    """The address of a store that is not yet made and that several processes can open."""
    return _url(request.param, request, settings)


@pytest.fixture
def shared_store(shared_url: str, settings: Settings) -> Iterator[Store]:
    """An empty store that several processes can open."""
    with closing(open_store(shared_url, settings.artifacts)) as store:
        yield store


@pytest.fixture(params=["memory", *SHARED_BACKENDS])
def store(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Store]:
    """An empty store: every test that takes it runs on all backends."""
    with closing(open_store(_url(request.param, request, settings), settings.artifacts)) as store:
        yield store
