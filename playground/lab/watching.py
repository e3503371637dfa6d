"""What those who watch a run see. Forty viewers a second cost the store one read."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from playground.displays.curves import LearningCurves
from playground.displays.frames import MOST_ORDERS, MOST_POINTS, Moment, thinned
from playground.lab.outcomes import marks
from playground.records import Ordered, Point, Run, RunStatus
from playground.store import Store

FRESH = 0.2
"""Seconds for which an observation is shared; a chunk of training lasts about as long."""
TOLD = ("network", "samples")
"""The pictures that go to all who follow a run."""


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
        self._curves = LearningCurves.from_points(())
        self._watch: Watch | None = None
        self._pulse: tuple[object, ...] = ()
        self._seen = 0.0
        # Only for those who follow: a list of runs must not keep the points of all of them.
        self._points: Sequence[Point] | None = None
        self._course = 0
        self._moment: tuple[Watch, Moment] | None = None

    def look(self, fresh: float | None = None) -> Watch:
        """The newest moment, at most ``fresh`` seconds old (default: ``FRESH``).

        Raises:
            NotFound: no such run.
        """
        with self._lock:
            return self._look(FRESH if fresh is None else fresh)

    def follow(self, fresh: float | None = None) -> Moment:
        """The same moment with its points, pictures and orders, to be told in frames.

        Raises:
            NotFound: no such run.
        """
        with self._lock:
            if self._points is None:
                self._points, self._watch = (), None
            watch = self._look(FRESH if fresh is None else fresh)
            if self._moment is None or self._moment[0] is not watch:
                self._moment = watch, self._detailed(watch)
            return self._moment[1]

    def _look(self, fresh: float) -> Watch:
        if self._watch is None or time.monotonic() - self._seen > fresh:
            self._watch = self._observe()
            self._seen = time.monotonic()
        return self._watch

    def _observe(self) -> Watch:
        pulse, before = self._store.pulse(self._id), self._watch
        if before is not None and pulse == self._pulse and before.position is None:
            return before
        run, self._pulse = self._store.run(self._id), pulse
        # A run that is resumed or rewound passes some steps again, and the store has forgotten the first pass.
        begins_anew = (
            before is None
            or (run.attempt, run.progress.phase) != (before.run.attempt, before.run.progress.phase)
            or run.progress.step < before.run.progress.step
        )
        self._read_points(begins_anew)
        surface = self._store.live(self._id, "surface") if run.experiment.data.family == "points" else None
        position = self._store.queue_position(self._id) if run.status is RunStatus.QUEUED else None
        return Watch(run, self._curves, surface, position)

    def _read_points(self, anew: bool) -> None:
        new, last = self._store.points(self._id, after=0 if anew else self._last)
        if not anew and new and new[0].step < self._step:
            anew, (new, last) = True, self._store.points(self._id)
        if anew:
            self._curves, self._step = LearningCurves.from_points(new), -1
        elif new:
            self._curves = self._curves.extended(new)
        if self._points is not None:
            self._gather(self._points, new, anew)
        if new:
            self._step = new[-1].step
        self._last = last

    def _gather(self, known: Sequence[Point], new: Sequence[Point], anew: bool) -> None:
        if anew:
            self._points = tuple(thinned(new))
            self._course += 1
        elif len(known) + len(new) > MOST_POINTS:
            self._points = (*thinned(known, MOST_POINTS // 2), *thinned(new, MOST_POINTS // 2))
            self._course += 1
        elif new:
            self._points = (*known, *new)

    def _detailed(self, watch: Watch) -> Moment:
        run, curves = watch.run, watch.curves
        return Moment(
            run=run,
            points=self._points or (),
            course=self._course,
            pictures=self._store.pictures(self._id, TOLD),
            ordered=self._orders(run),
            position=watch.position,
            marks=marks(run.experiment),
            summaries={metric: curves.summary(metric) for metric in curves.metrics},
        )

    def _orders(self, run: Run) -> tuple[Ordered, ...]:
        given = run.controls.orders
        return tuple(self._store.orders(self._id, after=max(0, given - MOST_ORDERS))) if given else ()
