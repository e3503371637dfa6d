"""Bring a database to the newest schema, whichever it has: none, an old one, or the newest."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from playground.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")

_one_at_a_time = threading.Lock()  # Alembic keeps the migration under way in a module


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to ``revision`` in the transaction of ``connection``.

    Raises:
        StoreError: the database has a schema that this version does not know.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        with _one_at_a_time:
            command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(
            "The store was written by a newer version of the playground. Update the playground, or choose another "
            "place with PLAYGROUND_HOME."
        ) from error
