"""The library: models that did not come from a run of ours, each a row and a file of arrays that never change."""

import contextlib
import secrets
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, insert, select, update

from playground.errors import NotAllowed, NotFound, StoreError
from playground.records import RunStatus, SavedModel
from playground.spec import changed
from playground.spec.saved import Saved
from playground.store.database import Database
from playground.store.files import Arrays, read_npz, write_npz
from playground.store.rows import LIVE, as_run, find
from playground.store.schema import models, runs

_FIELDS = [field.name for field in fields(SavedModel)]


class Models(Database):
    """Models of the library. Their ids are made here and looked up; none from outside becomes part of a path."""

    @property
    def _folder(self) -> Path:
        return self.artifacts.parent / "models"

    def add_model(self, card: SavedModel, arrays: Arrays) -> SavedModel:
        """Keep a model with its weights.

        Args:
            card: what is known of it; id and date are given here.
            arrays: variables of its network by position, ``v0``, ``v1`` …, as for a kept epoch.

        Returns:
            The card as it is kept.

        Raises:
            StoreError: the disk cannot be written; nothing is kept.
        """
        card = replace(card, id=secrets.token_hex(16), created=time.time())
        path = self._folder / f"{card.id}.npz"
        sha256 = write_npz(path, arrays)
        values = {name: getattr(card, name) for name in _FIELDS}
        try:
            with self._writing() as connection:
                connection.execute(insert(models).values(**values, sha256=sha256))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return card

    def models(self) -> list[SavedModel]:
        """All models of the library, newest first."""
        with self._reading() as connection:
            return [_as_model(row) for row in connection.execute(select(models).order_by(models.c.number.desc()))]

    def model(self, id: str) -> SavedModel:
        """The card of a model.

        Raises:
            NotFound: no such model.
        """
        with self._reading() as connection:
            return _as_model(_find(connection, id))

    def model_arrays(self, id: str) -> dict[str, NDArray[Any]]:
        """The variables of a model's network by position.

        Raises:
            NotFound: no such model.
            StoreError: its file is damaged or gone.
        """
        with self._reading() as connection:
            row = _find(connection, id)
        arrays = read_npz(self._folder / f"{row.id}.npz", row.sha256)
        if arrays is None:
            raise StoreError(
                f"The weights of the model {row.name!r} are damaged or gone from the disk. Take it in again."
            )
        return arrays

    def rename_model(self, id: str, name: str) -> SavedModel:
        """Call a model otherwise. Raises NotFound."""
        with self._writing() as connection:
            row = _find(connection, id)
            connection.execute(update(models).where(models.c.number == row.number).values(name=name))
            return _as_model(_find(connection, id))

    def rename_run(self, id: str, name: str) -> None:
        """Call a run, which is a model as well, otherwise: the name of its experiment. Raises NotFound."""
        with self._writing() as connection:
            row = find(connection, id)
            experiment = changed(row.experiment, name=name)
            connection.execute(update(runs).where(runs.c.number == row.number).values(experiment=experiment))

    def delete_model(self, id: str) -> None:
        """Forget a model and its weights.

        Raises:
            NotFound: no such model.
            NotAllowed: a run that is not over starts from it.
        """
        with self._writing() as connection:
            row = _find(connection, id)
            refuse_while_in_use(connection, Saved(model=row.id))
            connection.execute(delete(models).where(models.c.number == row.number))
        with contextlib.suppress(OSError):  # Windows: somebody reads it; without its row nobody finds it any more
            (self._folder / f"{row.id}.npz").unlink()


def refuse_while_in_use(connection: Connection, saved: Saved) -> None:
    """Let nobody take away what a run that is not over starts from.

    Raises:
        NotAllowed: there is such a run; the message names it.
    """
    for row in connection.execute(select(runs).where(runs.c.status.in_([RunStatus.QUEUED, *LIVE]))):
        run = as_run(row)
        start = run.experiment.start
        if start is not None and (start.base.run, start.base.model) == (saved.run, saved.model):
            name = run.experiment.name or run.id[:4]
            raise NotAllowed(f"The run {name!r} starts from this and is {run.status}. Stop it first, or let it end.")


def _as_model(row: Row[Any]) -> SavedModel:
    return SavedModel(**{name: getattr(row, name) for name in _FIELDS})


def _find(connection: Connection, id: str) -> Row[Any]:
    row = connection.execute(select(models).where(models.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no model {id!r}. It may have been deleted; choose one from the page Models.")
    return row
