"""The health of runs, for all who look at them."""

from playground.errors import NotFound
from playground.evaluation.health import Health
from playground.evaluation.verdicts import Verdict, judge
from playground.lab.remember import Remember
from playground.records import Run
from playground.store import Store


class HealthRecords:
    """Reads what was measured beside trainings. Forty viewers of a moment cost the store one read.

    Args:
        store: keeps it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: Remember[Health | None] = Remember(16)

    def of(self, run: Run) -> Health | None:
        """The series of a run so far; None where nothing was measured yet."""
        key = run.id, run.attempt, run.status.is_over, run.progress.step
        return self._known.get(key, lambda: self._read(run))

    def verdicts(self, run: Run) -> list[Verdict]:
        """What is wrong with a run; empty where nothing was measured yet."""
        health = self.of(run)
        return judge(health) if health is not None else []

    def _read(self, run: Run) -> Health | None:
        if run.status.is_over:
            try:
                return Health.from_arrays(self._store.read_arrays(run.id, "health"))
            except NotFound:
                pass  # it ended without a word; what it told last is there still
        live = self._store.live(run.id, "health")
        return Health.unpack(live[1]) if live else None
