"""What those who watch a run see. Forty viewers a second cost the store one read."""

import threading
import time
from dataclasses import dataclass

from playground.displays.curves import LearningCurves
from playground.records import Run
from playground.store import Store

FRESH = 0.2
"""Seconds for which an observation is shared; a chunk of training lasts about as long."""


@dataclass(frozen=True, eq=False)
class Watch:
    """One moment of a run, shared by all who look."""

    run: Run
    curves: LearningCurves
    surface: tuple[int, bytes] | None
    """Step and bytes of the newest decision surface, for points in the plane."""
    position: int | None
    """In the queue, 1 is next; None when it does not wait."""


class Watching:
    """Observes one run on behalf of all who look at it."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._id = store, run_id
        self._lock = threading.Lock()
        self._last, self._step = 0, -1
        self._attempt = -1
        self._curves = LearningCurves.from_points(())
        self._watch: Watch | None = None
        self._seen = 0.0

    def look(self) -> Watch:
        """The newest moment, at most ``FRESH`` seconds old.

        Raises:
            NotFound: no such run.
        """
        with self._lock:
            if self._watch is None or time.monotonic() - self._seen > FRESH:
                self._watch = self._observe()
                self._seen = time.monotonic()
            return self._watch

    def _observe(self) -> Watch:
        run = self._store.run(self._id)
        if self._watch is not None and run == self._watch.run and run.status.is_over:
            return self._watch
        self._read_points(run)
        surface = self._store.live(self._id, "surface") if run.experiment.data.family == "points" else None
        return Watch(run, self._curves, surface, self._store.queue_position(self._id))

    def _read_points(self, run: Run) -> None:
        new, last = self._store.points(self._id, after=self._last)
        if run.attempt != self._attempt or (new and new[0].step <= self._step):
            # A resumed run passes some steps again, and the store has forgotten the first pass.
            new, last = self._store.points(self._id)
            self._curves = LearningCurves.from_points(new)
        elif new:
            self._curves = self._curves.extended(new)
        if new:
            self._step = new[-1].step
        self._last, self._attempt = last, run.attempt
