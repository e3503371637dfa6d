"""Experiments addressed by URL, and the execution plans remembered for them."""

import hashlib
import secrets
import time

from sqlalchemy import Table, insert, select, update

from playground.errors import NotFound
from playground.spec import Experiment
from playground.store.database import Database, upsert
from playground.store.schema import drafts, plans, shared


class Experiments(Database):
    """Drafts change; shared experiments never do."""

    def new_draft(self, experiment: Experiment) -> str:
        """Keep a draft under a new id that nobody can guess."""
        id = secrets.token_urlsafe(16)
        with self._writing() as connection:
            connection.execute(insert(drafts).values(id=id, experiment=experiment, saved=time.time()))
        return id

    def draft(self, id: str) -> Experiment:
        """The draft under an id.

        Raises:
            NotFound: no such draft.
        """
        return self._experiment(drafts, id)

    def save_draft(self, id: str, experiment: Experiment) -> None:
        """Replace a draft; of two writers the later one wins.

        Raises:
            NotFound: no such draft.
        """
        statement = update(drafts).where(drafts.c.id == id).values(experiment=experiment, saved=time.time())
        with self._writing() as connection:
            if not connection.execute(statement).rowcount:
                raise _not_found(id)

    def share(self, experiment: Experiment) -> str:
        """Keep an experiment as it is now; the same experiment has the same id."""
        id = hashlib.sha256(experiment.dumps().encode()).hexdigest()[:20]
        with self._writing() as connection:
            upsert(connection, shared, {"id": id, "experiment": experiment, "created": time.time()})
        return id

    def shared(self, id: str) -> Experiment:
        """The shared experiment under an id.

        Raises:
            NotFound: no such experiment.
        """
        return self._experiment(shared, id)

    def plan(self, key: str) -> tuple[tuple[int, str], ...] | None:
        """The execution plan remembered under a key (experiment, machine, versions), as in ``Run.plan``."""
        with self._reading() as connection:
            plan: tuple[tuple[int, str], ...] | None = connection.scalar(select(plans.c.plan).where(plans.c.key == key))
        return plan

    def save_plan(self, key: str, plan: tuple[tuple[int, str], ...]) -> None:
        """Remember an execution plan; the newest wins."""
        with self._writing() as connection:
            upsert(connection, plans, {"key": key, "plan": plan})

    def _experiment(self, table: Table, id: str) -> Experiment:
        with self._reading() as connection:
            experiment: Experiment | None = connection.scalar(select(table.c.experiment).where(table.c.id == id))
        if experiment is None:
            raise _not_found(id)
        return experiment


def _not_found(id: str) -> NotFound:
    return NotFound(f"There is no experiment under {id!r}. Check that the whole link was copied, or start a new one.")
