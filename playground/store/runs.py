"""Runs as people see them: made, watched, stopped, resumed, deleted."""

import secrets
import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict

from sqlalchemy import delete, insert, select, update

from playground.errors import NotAllowed, NotFound
from playground.records import Event, Ordered, Point, Run, RunStatus
from playground.spec import Experiment, is_small
from playground.spec.orders import OrderSpec
from playground.spec.saved import Saved
from playground.store import schema
from playground.store.database import Database
from playground.store.models import refuse_while_in_use
from playground.store.queue import waiting
from playground.store.rows import as_run, change, find
from playground.store.schema import runs


class Runs(Database):
    """What a person may do with runs."""

    def create_run(self, experiment: Experiment, *, owner: str = "", draft: str = "", held: bool = False) -> Run:
        """Put a new run at the end of the queue.

        Args:
            experiment: what to train.
            owner: whose run it is; the queue is fair among owners.
            draft: the draft from which it is launched.
            held: no dispatcher takes it from the queue; who made it claims it by its id.
        """
        id = secrets.token_hex(16)
        with self._writing() as connection:
            connection.execute(
                insert(runs).values(
                    id=id,
                    experiment=experiment,
                    status=RunStatus.QUEUED,
                    created=time.time(),
                    owner=owner,
                    draft=draft,
                    small=is_small(experiment),
                    pause=held,
                )
            )
            return as_run(find(connection, id))

    def run(self, id: str) -> Run:
        """The run under an id.

        Raises:
            NotFound: no such run.
        """
        with self._reading() as connection:
            return as_run(find(connection, id))

    def pulse(self, id: str) -> tuple[object, ...]:
        """What changes whenever anything about a run does, its points, pictures and orders among it.

        Cheap: those who wait for something new compare it many times a second.

        Raises:
            NotFound: no such run.
        """
        told = runs.c.status, runs.c.beat, runs.c.stop, runs.c.pause, runs.c.orders, runs.c.obeyed, runs.c.message
        with self._reading() as connection:
            row = connection.execute(select(*told).where(runs.c.id == id)).first()
        if row is None:
            raise NotFound(f"There is no run {id!r}. It may have been deleted.")
        return tuple(row)

    def runs(
        self,
        *,
        owner: str | None = None,
        statuses: Iterable[RunStatus] | None = None,
        limit: int = 100,
        draft: str | None = None,
    ) -> list[Run]:
        """The newest runs, newest first: of one owner, in some states, launched from one draft."""
        statement = select(runs).order_by(runs.c.number.desc()).limit(limit)
        if owner is not None:
            statement = statement.where(runs.c.owner == owner)
        if statuses is not None:
            statement = statement.where(runs.c.status.in_(list(statuses)))
        if draft is not None:
            statement = statement.where(runs.c.draft == draft)
        with self._reading() as connection:
            return [as_run(row) for row in connection.execute(statement)]

    def delete_run(self, id: str) -> None:
        """Forget a run: its record, its points and its files.

        Raises:
            NotFound: no such run.
            NotAllowed: it is queued or a worker holds it, or a run that is not over starts from it.
        """
        with self._writing() as connection:
            row = find(connection, id)
            if not row.status.is_over:
                raise NotAllowed(f"This run is {row.status}. Stop it first, then delete it.")
            refuse_while_in_use(connection, Saved(run=row.id))
            connection.execute(delete(runs).where(runs.c.number == row.number))
        # Without its rows nobody finds a file any more: one that another program keeps open (Windows) only takes space.
        shutil.rmtree(self.artifacts / row.id, ignore_errors=True)

    def queue_position(self, id: str) -> int | None:
        """How many claims until it is this run's turn (1: the next one); None if it does not wait for a slot."""
        with self._reading() as connection:
            queue = connection.scalars(waiting()).all()
        return queue.index(id) + 1 if id in queue else None

    def request(self, id: str, *, stop: bool | None = None, pause: bool | None = None) -> Run:
        """Ask the worker of a run to stop, to pause, or (``pause=False``) to go on.

        A queued run stops at once; one with a pause waits outside the queue until it goes on. A run that is over stays
        as it is: it ended while the person reached for the button.

        Raises:
            NotFound: no such run.
        """
        with self._writing() as connection:
            row = find(connection, id)
            if row.status.is_over:
                return as_run(row)
            if stop and row.status is RunStatus.QUEUED:
                return change(connection, row, Event.STOP, message="Stopped while it waited in the queue.")
            asked = {name: value for name, value in (("stop", stop), ("pause", pause)) if value is not None}
            if asked:
                connection.execute(update(runs).where(runs.c.number == row.number).values(asked))
            return as_run(find(connection, id))

    def resume(self, id: str, experiment: Experiment | None = None, *, paused: bool = False) -> Run:
        """Send a run on: to the head of the queue if it is over, as it is if it only pauses.

        Args:
            id: the run.
            experiment: what to train from now on, the same network with more epochs for instance.
            paused: it only waits for an order, and pauses once that is carried out.

        Raises:
            NotFound: no such run.
            NotAllowed: it is queued or running already.
        """
        with self._writing() as connection:
            row = find(connection, id)
            if row.pause and not row.status.is_over and experiment is None:
                connection.execute(update(runs).where(runs.c.number == row.number).values(pause=False))
                return as_run(find(connection, id))
            new = {} if experiment is None else {"experiment": experiment, "small": is_small(experiment)}
            table = schema.orders
            late = update(table).where(table.c.run == id, table.c.step.is_(None), table.c.refusal == "")
            connection.execute(late.values(refusal="The run ended first."))
            return change(connection, row, Event.RESUME, stop=False, pause=paused, obeyed=row.orders, message="", **new)

    def order(self, id: str, order: OrderSpec, *, owner: str = "") -> Ordered:
        """Give an order to the worker of a run.

        Raises:
            NotFound: no such run.
            NotAllowed: it is over.
        """
        with self._writing() as connection:
            row = find(connection, id)
            if row.status.is_over:
                raise NotAllowed(f"This run is {row.status}. Resume it first, then change it.")
            given = Ordered(row.orders + 1, order, owner, time.time())
            connection.execute(insert(schema.orders).values(run=id, **asdict(given) | {"order": order}))
            connection.execute(update(runs).where(runs.c.number == row.number).values(orders=given.number))
        return given

    def orders(self, id: str, *, after: int = 0) -> list[Ordered]:
        """The orders to a run with a number above ``after``, in order. No such run: no orders."""
        table = schema.orders.c
        statement = select(schema.orders).where(table.run == id, table.number > after).order_by(table.number)
        with self._reading() as connection:
            rows = connection.execute(statement).mappings().all()
        return [Ordered(**{name: value for name, value in row.items() if name != "run"}) for row in rows]

    def points(self, id: str, *, after: int = 0) -> tuple[list[Point], int]:
        """The points of a run with a number above ``after``, in order, and the number of the last one.

        A viewer that hands back this number next time reads every point once. No such run: no points.
        """
        table = schema.points.c
        statement = (
            select(table.number, table.step, table.epoch, table.kind, table["values"])
            .where(table.run == id, table.number > after)
            .order_by(table.number)
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        return [Point(*row[1:]) for row in rows], rows[-1].number if rows else after

    def live(self, id: str, name: str) -> tuple[int, bytes] | None:
        """The newest small picture of a run under a name: its step and its bytes."""
        table = schema.live.c
        with self._reading() as connection:
            row = connection.execute(
                select(table.step, table.payload).where(table.run == id, table.name == name)
            ).one_or_none()
        return (row.step, bytes(row.payload)) if row else None

    def pictures(self, id: str, names: Collection[str]) -> dict[str, tuple[int, bytes]]:
        """The newest small pictures of a run under these names, those that there are."""
        table = schema.live.c
        statement = select(table.name, table.step, table.payload).where(table.run == id, table.name.in_(names))
        with self._reading() as connection:
            return {row.name: (row.step, bytes(row.payload)) for row in connection.execute(statement)}
