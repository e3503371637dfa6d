"""Runs as workers see them. Every write names the lease under which it is made."""

import secrets
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from playground.records import Controls, Event, Point, Progress, Run, RunStatus
from playground.store import schema
from playground.store.database import Database, upsert
from playground.store.queue import waiting
from playground.store.rows import LIVE, change, find, find_held
from playground.store.schema import runs

# Composing a statement takes longer than executing it; this one is executed most often.
_REPORT = update(runs).where(runs.c.number == bindparam("held"))
_NO_PICTURES: Mapping[str, tuple[int, bytes]] = MappingProxyType({})


class Work(Database):
    """What a worker may do with the run it holds, and a dispatcher with all of them."""

    def claim(self, holder: str, *, run_id: str | None = None, small: bool | None = None) -> tuple[Run, str] | None:
        """Take the next run from the queue, or ``run_id`` if it is queued; of several processes one gets it.

        Args:
            holder: who takes it, for people who look into the database.
            run_id: this run and no other, even if it is held back.
            small: only small runs, or only large ones; None takes both.

        Returns:
            The run and its lease, which every write to it has to name; None if there is nothing to take.
        """
        following = waiting(small).limit(1)
        if run_id is not None:
            following = select(runs.c.id).where(runs.c.id == run_id, runs.c.status == RunStatus.QUEUED)
        with self._reading() as connection:
            if connection.scalar(following) is None:
                return None  # nearly every call ends here, without a lock
        with self._writing() as connection:
            while (id := connection.scalar(following)) is not None:
                row = find(connection, id)
                if row.status is not RunStatus.QUEUED:
                    continue  # PostgreSQL: another process took it before we had the lock
                lease = secrets.token_hex(16)
                taken = {"lease": lease, "holder": holder, "beat": row.beat + 1, "attempt": row.attempt + 1}
                # Who asks for a run by its id wants it to run; from the queue a paused one comes for an order.
                taken |= {"started": time.time(), "ahead": False, "pause": row.pause and run_id is None, "message": ""}
                return change(connection, row, Event.CLAIM, **taken), lease
        return None

    def report(
        self,
        id: str,
        lease: str,
        progress: Progress,
        *,
        points: Sequence[Point] = (),
        plan: tuple[tuple[int, str], ...] | None = None,
        live: Mapping[str, tuple[int, bytes]] = _NO_PICTURES,
    ) -> None:
        """Write how far a run is, in one transaction. Renews the lease.

        Args:
            id: the run.
            lease: from :meth:`claim`.
            progress: where it stands.
            points: new points, in order.
            plan: which variant of the loop ran from which step on, if that is new.
            live: small pictures by name, each a step and its bytes; only the newest of a name is kept.

        Raises:
            LeaseLost: the run is no longer held under this lease; nothing is written.
        """
        with self._writing() as connection:
            row = find_held(connection, id, lease, runs.c.beat, runs.c.points)
            values: dict[str, Any] = {} if plan is None else {"plan": plan}
            values |= {"progress": progress, "beat": row.beat + 1, "points": row.points + len(points)}
            connection.execute(_REPORT, values | {"held": row.number})
            if points:
                numbered = enumerate(points, row.points + 1)
                connection.execute(insert(schema.points), [_point(id, number, point) for number, point in numbered])
            pictures = ({"run": id, "name": n, "step": step, "payload": made} for n, (step, made) in live.items())
            upsert(connection, schema.live, *pictures)

    def controls(self, id: str) -> Controls:
        """What people ask of a run. Cheap: its worker asks ten times a second. Raises NotFound."""
        with self._reading() as connection:
            return Controls(*find(connection, id, runs.c.stop, runs.c.pause, runs.c.orders))

    def obeyed(self, id: str, lease: str, number: int, step: int | None, refusal: str = "") -> None:
        """Settle an order: it holds from ``step`` on, or was refused there; None: it is known, and will hold later.

        Raises:
            LeaseLost: the run is no longer held under this lease.
        """
        with self._writing() as connection:
            row = find_held(connection, id, lease, runs.c.obeyed)
            settled = {"step": step, "refusal": refusal}
            table = schema.orders
            connection.execute(update(table).where(table.c.run == id, table.c.number == number).values(settled))
            connection.execute(update(runs).where(runs.c.number == row.number).values(obeyed=max(row.obeyed, number)))

    def rewind(self, id: str, lease: str, step: int) -> None:
        """Forget the points after ``step``: the run goes on from there and passes them again.

        Raises:
            LeaseLost: the run is no longer held under this lease.
        """
        with self._writing() as connection:
            find_held(connection, id, lease, runs.c.id)
            connection.execute(delete(schema.points).where(schema.points.c.run == id, schema.points.c.step > step))

    def apply(
        self,
        id: str,
        lease: str,
        event: Event,
        *,
        message: str = "",
        scores: Mapping[str, float] | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> Run:
        """Let an event happen to the run that this lease holds. The lease ends with the run's life.

        Args:
            id: the run.
            lease: from :meth:`claim`.
            event: what happens.
            message: one sentence about it, for people.
            scores: the final scores, in place of earlier ones.
            facts: added to those known.

        Raises:
            LeaseLost: the run is no longer held under this lease.
            NotAllowed: the event cannot happen in the run's state.
        """
        with self._writing() as connection:
            row = find_held(connection, id, lease)
            values: dict[str, Any] = {"message": message, "facts": {**row.facts, **(facts or {})}}
            if scores is not None:
                values["scores"] = dict(scores)
            return change(connection, row, event, **values)

    def lose(self, id: str, lease: str | None, message: str) -> Run | None:
        """Interrupt a run whose worker is gone; None if it is not live, or held under another lease by now.

        Args:
            id: the run.
            lease: the one that was lost; None for whichever holds it.
            message: one sentence about it, for people.

        Raises:
            NotFound: no such run.
        """
        with self._writing() as connection:
            row = find(connection, id)
            if not row.status.is_live or lease not in (None, row.lease):
                return None
            return change(connection, row, Event.LOSE, message=message)

    def beats(self) -> dict[str, tuple[str, int]]:
        """Lease and beat of every live run. A beat that stands still means a silent worker, see ``LeaseWatch``."""
        statement = select(runs.c.id, runs.c.lease, runs.c.beat).where(runs.c.status.in_(LIVE))
        with self._reading() as connection:
            return {row.id: (row.lease, row.beat) for row in connection.execute(statement)}


def _point(run: str, number: int, point: Point) -> dict[str, object]:
    return {
        "run": run,
        "number": number,
        "step": point.step,
        "epoch": point.epoch,
        "kind": point.kind,
        "values": point.values,
    }
