"""Which workers fell silent, judged by one process's own monotonic clock."""

import time
from collections.abc import Callable

from playground.store.work import Work


class LeaseWatch:
    """Watches the beats of live runs. No clocks are compared, so none has to be right.

    Args:
        store: where the beats are.
        seconds: a worker silent for so long has lost its lease.
        clock: seconds that never go back.
    """

    def __init__(self, store: Work, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._since: dict[str, tuple[tuple[str, int], float]] = {}  # the last beat of a run, and when it was first seen

    def lost(self) -> dict[str, str]:
        """Runs whose beat has stood still for too long, with the lease that held them (for ``Store.lose``)."""
        beats, now = self._store.beats(), self._clock()
        before = self._since
        self._since = {
            id: before[id] if id in before and before[id][0] == beat else (beat, now) for id, beat in beats.items()
        }
        return {id: lease for id, ((lease, _), since) in self._since.items() if now - since >= self._seconds}
