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
        self._moved: set[str] = set()

    def lost(self) -> dict[str, str]:
        """Runs whose beat has stood still for too long, with the lease that held them (for ``Store.lose``)."""
        beats, now = self._store.beats(), self._clock()
        before = self._since
        seen = {id: beat for id, (beat, _) in before.items()}
        moved = {
            lease for id, (lease, beat) in beats.items() if id in seen and seen[id][0] == lease and seen[id][1] != beat
        }
        self._moved = (self._moved | moved) & {lease for lease, _ in beats.values()}
        self._since = {
            id: before[id] if id in before and before[id][0] == beat else (beat, now) for id, beat in beats.items()
        }
        return {id: lease for id, ((lease, _), since) in self._since.items() if now - since >= self._seconds}

    def has_moved(self, lease: str) -> bool:
        """Whether a beat was seen under this lease after the first one, which is the claim's own."""
        return lease in self._moved
