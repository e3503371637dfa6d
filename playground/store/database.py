"""The database below the store: its connections and transactions, and its errors in plain words."""

import functools
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Executable, QueuePool, Table, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from playground.errors import StoreError

BUSY_SECONDS = 10.0
"""How long a transaction waits for another one before it gives up."""

_SENTENCES = {
    "SQLITE_BUSY": "The store is busy: another program has held it for {busy:.0f} seconds. Try again in a moment.",
    "SQLITE_FULL": "The disk that holds the store is full. Free some space there, then try again.",
    "SQLITE_READONLY": "The store at {url} cannot be written. Give this user the right to write there.",
    "SQLITE_CANTOPEN": "The store at {url} cannot be opened. Check that the folder exists and may be written.",
    "SQLITE_NOTADB": "The file at {url} is not a store. Move it away, or choose another place with PLAYGROUND_HOME.",
    "SQLITE_CORRUPT": "The store at {url} is damaged. Restore it from a copy, or move it away to begin a new one.",
}


class Database:
    """Connections to one database, safe to share between threads, and sent to other processes by its address.

    Args:
        url: SQLAlchemy URL of SQLite (``sqlite://`` lives in memory, for tests) or PostgreSQL.
        artifacts: folder with one folder a run.

    Raises:
        StoreError: the URL cannot be read, names another database or a missing driver.
    """

    def __init__(self, url: str, artifacts: Path) -> None:
        self.url = url
        self.artifacts = artifacts
        self._engine = _engine(url)
        self._writer = self._engine.execution_options(writes=True)

    def __reduce__(self) -> tuple[type, tuple[str, Path]]:
        return type(self), (self.url, self.artifacts)

    def close(self) -> None:
        """Give back the connections. A store used again opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with self._in_plain_words(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it, or nothing if the block raises."""
        with self._in_plain_words(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(_sentence(error, self._engine.url)) from error


def upsert(connection: Connection, table: Table, *rows: Mapping[str, Any]) -> None:
    """Insert rows, each with a value for every column, or replace those with the same primary keys."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table), rows)


@functools.cache
def _upsert(dialect: str, table: Table) -> Executable:
    """The statement, made once: making it takes several times as long as executing it."""
    # The dialect in use is imported already; the other one would cost every start 50 ms.
    statement = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    key = [column.name for column in table.primary_key]
    changes = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    upserting: Executable = statement.on_conflict_do_update(index_elements=key, set_=changes)
    return upserting


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError:
        # The text may hold a password: it is not repeated.
        raise StoreError(
            "PLAYGROUND_STORE_URL is not a database URL. Write it as sqlite:////folder/playground.db or "
            "postgresql://user:password@host/name."
        ) from None
    backend = address.get_backend_name()
    if backend == "sqlite":
        return _sqlite(address)
    if backend != "postgresql":
        raise StoreError(f"The store cannot live in {backend!r}. Choose SQLite or PostgreSQL.")
    try:
        return create_engine(address, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(f"PostgreSQL needs the package {error.name}. Install it: pip install {error.name}.") from None


def _sqlite(address: URL) -> Engine:
    memory = address.database in (None, "", ":memory:")
    if address.database and not memory:
        folder = Path(address.database).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder {folder} cannot be made: {error.strerror}. Choose another one.") from error
    engine = create_engine(
        address,
        poolclass=QueuePool,
        # A database in memory is gone with its connection, so there is one, and threads take turns.
        pool_size=1 if memory else 5,
        max_overflow=0 if memory else 10,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # sqlite3 would begin transactions by itself, at the wrong moment
    _write_ahead(connection)
    # A crash of the program loses nothing; a power cut may lose the last transactions, never the database.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log, so that readers and the writer do not wait for each other."""
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of several processes that open a new file at once, SQLite refuses all but one without any wait.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    # A plain BEGIN that reads before it writes fails at once when another writer came between, whatever the timeout.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _sentence(error: SQLAlchemyError, address: URL) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    # SQLite refines its codes: SQLITE_BUSY_SNAPSHOT is a kind of SQLITE_BUSY.
    code = "_".join(getattr(cause, "sqlite_errorname", "").split("_")[:2])
    url = address.render_as_string(hide_password=True)
    if code in _SENTENCES:
        return _SENTENCES[code].format(url=url, busy=BUSY_SECONDS)
    said = str(cause).strip().partition("\n")[0].rstrip(".")
    return f"The store at {url} does not work: {said}. Check PLAYGROUND_STORE_URL, and that its database runs."
