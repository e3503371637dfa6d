"""From rows to records, and the one way in which a run changes its state."""

import functools
import time
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, bindparam, select, update

from playground.errors import LeaseLost, NotFound
from playground.records import Controls, Event, Run, RunStatus, advance
from playground.store.schema import runs

LIVE = [status for status in RunStatus if status.is_live]

_FIELDS = [field.name for field in fields(Run) if field.name != "controls"]


def as_run(row: Row[Any]) -> Run:
    """The record of a row of ``runs``."""
    return Run(controls=Controls(row.stop, row.pause, row.orders), **{name: getattr(row, name) for name in _FIELDS})


def find(connection: Connection, id: str, *columns: Column[Any]) -> Row[Any]:
    """The row of a run, or some ``columns`` of it; in a transaction that writes it is locked until its end.

    Raises:
        NotFound: no such run.
    """
    locks = bool(connection.get_execution_options().get("writes"))
    row = connection.execute(_finding(columns or (runs,), locks), {"run": id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {id!r}. It may have been deleted; choose one from the list of runs.")
    return row


@functools.cache
def _finding(what: tuple[Column[Any] | Table, ...], locks: bool) -> Select[Any]:
    """The statement, made once: making it takes longer than executing it."""
    statement = select(*what).where(runs.c.id == bindparam("run"))
    # For PostgreSQL; on SQLite, BEGIN IMMEDIATE has locked the database.
    return statement.with_for_update() if locks else statement


def find_held(connection: Connection, id: str, lease: str, *columns: Column[Any]) -> Row[Any]:
    """The row of a run that is held by ``lease``; or its number and some ``columns``, which a worker asks for often.

    Raises:
        LeaseLost: somebody else holds it, or nobody, or it is deleted.
    """
    try:
        row = find(connection, id, *((runs.c.number, runs.c.lease, *columns) if columns else ()))
    except NotFound:
        row = None
    if row is None or not lease or row.lease != lease:
        raise LeaseLost(f"The run {id} is no longer held by this worker. Resume it to go on.")
    return row


def change(connection: Connection, row: Row[Any], event: Event, **values: Any) -> Run:
    """Let ``event`` happen to a run, with other ``values`` that change at the same moment.

    ``row`` is locked since it was found, so that nobody came between: this is the store's compare-and-set.

    Raises:
        NotAllowed: the event cannot happen in the run's state.
    """
    status = advance(row.status, event)
    if not status.is_live:
        values |= {"lease": "", "holder": "", "progress": replace(row.progress, phase="", seconds_left=None)}
    if status.is_over:
        values["ended"] = max(time.time(), row.started or row.created)  # the clock may have been set back
    elif status is RunStatus.QUEUED:
        values |= {"ended": None, "ahead": True}  # it was here before: resumed, or its slot given up
    connection.execute(update(runs).where(runs.c.number == row.number).values(status=status, **values))
    return as_run(find(connection, row.id))
