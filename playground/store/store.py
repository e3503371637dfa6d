"""The store: what was asked, what happened, and what came out of it."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from playground.errors import StoreError
from playground.store.artifacts import Artifacts
from playground.store.experiments import Experiments
from playground.store.models import Models
from playground.store.runs import Runs
from playground.store.schema import HEAD, metadata
from playground.store.work import Work

_MIGRATION_LOCK = 7_245_901  # any number that only this program locks


class Store(Experiments, Runs, Work, Artifacts, Models):
    """Experiments, runs, artifacts and models in one database and one folder.

    May be shared between threads, opened by many processes at once, and pickled (it travels as its address). Every
    method is one transaction and gives detached records. Any of them raises ``StoreError`` when the database cannot be
    used, after 10 seconds if it is only busy.
    """

    def migrate(self) -> None:
        """Bring the database to the newest schema; of several processes one does it and the others wait.

        Raises:
            StoreError: the database cannot be used, or was written by a newer version.
        """
        with self._reading() as connection:
            if _revision(connection) == HEAD:
                return
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            revision = _revision(connection)
            if revision is None:
                _create(connection)
            elif revision != HEAD:
                # 0.3 s that only a store of an earlier version needs.
                from playground.store.migrate import upgrade  # noqa: PLC0415

                upgrade(connection)


def open_store(url: str, artifacts: Path) -> Store:
    """Open the store, making or upgrading it where that is needed.

    Args:
        url: SQLAlchemy URL, see ``Settings.database``.
        artifacts: folder with one folder a run, see ``Settings.artifacts``.

    Raises:
        StoreError: it cannot be opened, made or upgraded.
    """
    try:
        artifacts.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {artifacts} cannot be made: {error.strerror}. Choose another one.") from error
    store = Store(url, artifacts)
    store.migrate()
    return store


def _create(connection: Connection) -> None:
    """Make at once what all migrations together make; a test compares the two."""
    metadata.create_all(connection, checkfirst=False)
    key = "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"
    connection.execute(text(f"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, {key})"))
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
