"""Between the loop and the store: a bounded buffer and a thread, so that the loop never waits for the database."""

import logging
import time
from collections import deque
from contextlib import ExitStack
from threading import Event as Flag
from threading import Lock, Thread

from playground.engine.training.company import COMPANY
from playground.errors import LeaseLost, NotFound, StoreError
from playground.records import Controls, Point, Progress
from playground.store import Store

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 0.2
REPORTS_PER_SECOND, LOOKS_PER_SECOND = 60, 100
"""Of all trainings of a process together: where many share it, each speaks and listens rarer."""
SECONDS_BETWEEN_BEATS = 2.0
POINTS_HELD = 20_000


class Reporter:
    """Writes what a run says to the store, renews its lease, and learns what people ask of it.

    Use as a context manager: leaving it writes what is left.
    """

    def __init__(self, store: Store, run_id: str, lease: str) -> None:
        self.controls = Controls()
        self.lost = False
        """Somebody else holds the run now, or it is gone: let go of it."""
        self.progress = Progress()
        self._store, self._run_id, self._lease = store, run_id, lease
        self._lock = Lock()
        self._points: deque[Point] = deque(maxlen=POINTS_HELD)
        self._live: dict[str, tuple[int, bytes]] = {}
        self._plan: tuple[tuple[int, str], ...] | None = None
        self._changed = self._urgent = False
        self._reported_at = 0.0
        self._wake, self._over = Flag(), False
        self._looked_at = 0.0
        self._writing, self._joined = Lock(), ExitStack()
        self._thread = Thread(target=self._work, name=f"report-{run_id}", daemon=True)

    @property
    def company(self) -> int:
        """How many trainings share the process, this one counted in."""
        return COMPANY.size

    def __enter__(self) -> "Reporter":
        self._joined.enter_context(COMPANY.joined())
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._joined.close()
        self._over = True
        self._wake.set()
        self._thread.join()

    def say(
        self,
        progress: Progress,
        *,
        points: tuple[Point, ...] = (),
        plan: tuple[tuple[int, str], ...] | None = None,
        live: dict[str, tuple[int, bytes]] | None = None,
        at_once: bool = False,
    ) -> None:
        """Hand over what is new; returns at once. ``at_once``: somebody waits for it, so write it without delay."""
        with self._lock:
            self.progress = progress
            self._points.extend(points)
            self._live |= live or {}
            self._plan = plan or self._plan
            self._changed, self._urgent = True, self._urgent or at_once
        if at_once:
            self._wake.set()

    def look(self, every: float) -> None:
        """Learn what people ask; costs half a millisecond, and nothing where it was learned ``every`` seconds ago."""
        if time.monotonic() - self._looked_at < max(every, self.company / LOOKS_PER_SECOND):
            return
        self._looked_at = time.monotonic()
        try:
            self.controls = self._store.controls(self._run_id)
        except NotFound:
            self.lost = True
        except StoreError as error:
            logger.warning("controls of run %s: %s", self._run_id, error)

    def flush(self) -> None:
        """Write all that was said, and return when it is written."""
        self._report()

    def _work(self) -> None:
        while not self._over and not self.lost:
            since = time.monotonic() - self._reported_at
            due = max(SECONDS_BETWEEN_REPORTS, self.company / REPORTS_PER_SECOND)
            if (self._changed and since > due) or since > SECONDS_BETWEEN_BEATS or self._urgent:
                self._report()
            self._wake.wait(due)
            self._wake.clear()
        if not self.lost:
            self._report()

    def _report(self) -> None:
        with self._writing:
            self._write()

    def _write(self) -> None:
        with self._lock:
            progress, points, live, plan = self.progress, list(self._points), self._live, self._plan
            self._points.clear()
            self._live, self._plan, self._changed, self._urgent = {}, None, False, False
        try:
            self._store.report(self._run_id, self._lease, progress, points=points, plan=plan, live=live)
            self._reported_at = time.monotonic()
        except (LeaseLost, NotFound):
            self.lost = True
        except StoreError as error:
            # A full disk or a locked database may pass; what was to be said is kept, and the run goes on.
            logger.warning("report of run %s: %s", self._run_id, error)
            with self._lock:
                self._points.extendleft(reversed(points))
                self._live = {**live, **self._live}
                self._plan = self._plan or plan
                self._changed = True
