"""Arrays and checkpoints of runs: one folder a run, the hashes in the database.

A file is written under a name of its own and becomes the newest of its kind by a row: whoever is killed before that
leaves a stray file, which the next write removes. Two of a kind are kept: the one before serves who is still reading it
and stands in for a checkpoint that broke.
"""

import contextlib
import json
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, insert, select

from playground.errors import NotFound, StoreError
from playground.store.database import Database
from playground.store.files import Arrays, read_npz, write_npz
from playground.store.rows import find, find_held
from playground.store.schema import files, runs

KEPT = 2
CHECKPOINT = "checkpoint"
_EPOCH = "epoch-{}"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_META = "__meta__"  # no name of a variable

_log = logging.getLogger(__name__)


class Artifacts(Database):
    """Files of runs, found through the database only: no id from outside becomes part of a path."""

    def write_arrays(self, id: str, name: str, arrays: Arrays, *, lease: str = "") -> None:
        """Keep arrays of a run under a name, in place of earlier ones.

        Args:
            id: the run.
            name: small letters, digits, ``_`` and ``-``.
            arrays: by names of their own; no arrays of Python objects.
            lease: from ``claim``; empty for a writer that needs none.

        Raises:
            NotFound: no such run.
            LeaseLost: a lease is given and no longer holds the run.
            StoreError: a name that cannot be, or a disk that cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise StoreError(f"{name!r} is no name for arrays. Use up to 64 small letters, digits, _ and -.")
        with self._reading() as connection:
            # The folder takes its name from the row, not from the caller.
            folder = self.artifacts / _find(connection, id, lease).id
        path = folder / f"{name}.{secrets.token_hex(8)}.npz"
        sha256 = write_npz(path, arrays)
        try:
            with self._writing() as connection:
                _find(connection, id, lease)
                connection.execute(insert(files).values(run=id, name=name, file=path.name, sha256=sha256))
                kept = _newest(connection, id, name)[:KEPT]
                oldest = kept[-1].number
                connection.execute(
                    delete(files).where(files.c.run == id, files.c.name == name, files.c.number < oldest)
                )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        for stray in set(folder.glob(f"{name}.*")) - {folder / row.file for row in kept}:
            with contextlib.suppress(OSError):  # Windows: somebody reads it; the next write removes it
                stray.unlink()

    def read_arrays(self, id: str, name: str) -> dict[str, NDArray[Any]]:
        """The newest arrays of a run under a name.

        Raises:
            NotFound: no such run, or it has no such arrays.
            StoreError: the file is damaged.
        """
        with self._reading() as connection:
            run = find(connection, id).id
            rows = _newest(connection, run, name)
        if not rows:
            raise NotFound(f"The run {id} has no {name}. They are written when it ends: let it train to its end.")
        arrays = read_npz(self.artifacts / run / rows[0].file, rows[0].sha256)
        if arrays is None:
            raise StoreError(f"The {name} of the run {id} are damaged or gone from the disk. Train it again.")
        return arrays

    def write_checkpoint(self, id: str, step: int, arrays: Arrays, meta: Mapping[str, Any], *, lease: str = "") -> None:
        """Keep the state of a training at a step; the last two are kept.

        Args:
            id: the run.
            step: steps done so far; found again as ``meta["step"]``.
            arrays: variables of model and optimizer, by names of their own.
            meta: everything else, as JSON can hold it.
            lease: from ``claim``; empty for a writer that needs none.

        Raises:
            NotFound: no such run.
            LeaseLost: a lease is given and no longer holds the run.
            StoreError: the disk cannot be written; earlier checkpoints are untouched.
        """
        text = json.dumps({**meta, "step": step}).encode()
        self.write_arrays(id, CHECKPOINT, {**arrays, _META: np.frombuffer(text, np.uint8)}, lease=lease)

    def read_checkpoint(self, id: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Arrays and meta of the newest whole checkpoint: of the one before if the last is damaged; None without any.

        Raises:
            NotFound: no such run.
        """
        with self._reading() as connection:
            run = find(connection, id).id
            rows = _newest(connection, run, CHECKPOINT)
        for row in rows:
            arrays = read_npz(self.artifacts / run / row.file, row.sha256)
            if arrays is not None:
                meta: dict[str, Any] = json.loads(arrays.pop(_META).tobytes())
                return arrays, meta
            _log.warning("Run %s: %s is damaged or gone; trying the checkpoint before.", run, row.file)
        return None

    # Weights of epochs that are past, to look into and to start from

    def keep_epoch(self, id: str, epoch: int, arrays: Arrays, *, lease: str = "") -> None:
        """Keep the weights of a run as they are after so many epochs; arguments and errors as for arrays."""
        self.write_arrays(id, _EPOCH.format(epoch), arrays, lease=lease)

    def kept_epochs(self, id: str) -> list[int]:
        """The epochs of a run whose weights are kept, ascending.

        Raises:
            NotFound: no such run.
        """
        with self._reading() as connection:
            run = find(connection, id).id
            statement = select(files.c.name).where(files.c.run == run, files.c.name.startswith(_EPOCH.format("")))
            return sorted({int(name.removeprefix(_EPOCH.format(""))) for name in connection.scalars(statement)})

    def read_epoch(self, id: str, epoch: int) -> dict[str, NDArray[Any]]:
        """The weights of a run after so many epochs; errors as for arrays."""
        return self.read_arrays(id, _EPOCH.format(epoch))

    def drop_epochs(self, id: str, epochs: Iterable[int], *, lease: str = "") -> None:
        """Keep the weights of these epochs no longer."""
        names = [_EPOCH.format(epoch) for epoch in epochs]
        with self._writing() as connection:
            run = _find(connection, id, lease).id
            found = (files.c.run == run) & files.c.name.in_(names)
            dropped = list(connection.scalars(select(files.c.file).where(found)))
            connection.execute(delete(files).where(found))
        for file in dropped:
            with contextlib.suppress(OSError):  # Windows: somebody reads it; it goes with the run
                (self.artifacts / run / file).unlink()


def _find(connection: Connection, id: str, lease: str) -> Row[Any]:
    return find_held(connection, id, lease, runs.c.id) if lease else find(connection, id, runs.c.id)


def _newest(connection: Connection, run: str, name: str) -> list[Row[Any]]:
    statement = select(files).where(files.c.run == run, files.c.name == name).order_by(files.c.number.desc())
    return list(connection.execute(statement))
