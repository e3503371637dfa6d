"""The dispatcher: hands the store's queue to the train workers, and notices when one of them is gone."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playground.calls import call
from playground.engine.service.cluster import Cluster
from playground.engine.service.slots import Slots, Trainer
from playground.errors import LeaseLost, NotAllowed, NotFound, PlaygroundError, StoreError
from playground.records import Event, Run, RunStatus
from playground.settings import Settings
from playground.spec import is_small
from playground.store import LeaseWatch, Store

log = logging.getLogger(__name__)

LOST = "The worker that trained this run was lost; resume continues from the last checkpoint."
ENDED = "The engine that trained this run was stopped; resume continues from the last checkpoint."

CLAIM_EVERY = 0.1
WATCH_EVERY = 1.0

HELD_UP = 1.0
"""A write that takes this many seconds means that somebody holds the store."""

AFTER_TROUBLE = 1.0

BEGINNING = 3.0
"""A run that we handed to a worker may be silent for so many times its lease before its first word: where thirty begin
at once, the last is heard late. That a worker has ended, Dask tells at once."""

GRACE = 10.0
"""Seconds that a worker has to let go of a run that was taken from it; then its process is replaced."""


@dataclass(slots=True, eq=False)
class Held:
    """A run in the hands of a worker."""

    run: Run
    lease: str
    trainer: Trainer
    small: bool
    since: float = field(default_factory=time.monotonic)
    """When it was claimed (this process's monotonic clock)."""
    lost: float | None = None
    """When its lease was found to have run out (this process's monotonic clock)."""


class Dispatcher:
    """Claims runs from the store, oldest first, and has them trained by name: ``train(run_id, lease)``.

    A run that is handed over belongs to the function that trains it, which brings it to its end in the store. The
    dispatcher speaks only for runs whose worker no longer can.
    """

    def __init__(self, cluster: Cluster, store: Store, settings: Settings, *, holder: str, worker: str) -> None:
        self.claims = True
        """Whether new runs are taken on."""
        self.device = ""
        self._cluster = cluster
        self._store = store
        self._lease_seconds = settings.lease_seconds
        self._holder = holder
        self._worker = worker
        self._slots = Slots(settings.small_runs)
        self._held: set[Held] = set()
        self._placing = asyncio.Lock()
        self._leases = LeaseWatch(store, settings.lease_seconds)
        self._watched = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many runs workers hold."""
        return len(self._held)

    @property
    def workers(self) -> int:
        """How many train workers are up."""
        return len(self._slots.trainers)

    async def start(self) -> None:
        """Begin to claim and to watch."""
        await self._claim()
        self._spawn(self._repeat(self._claim, CLAIM_EVERY))
        self._spawn(self._repeat(self._watch, WATCH_EVERY))

    async def close(self) -> None:
        """Claim no more, and let go of all runs: they are interrupted."""
        self.claims = False
        held = list(self._held)
        await asyncio.gather(*(self._settle(one, Event.LOSE, ENDED) for one in held))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Claiming

    async def _claim(self) -> None:
        """Take runs for as long as there are both runs and slots."""
        for trainer in self._slots.update(await self._cluster.trainers()):
            self._spawn(self._greet(trainer))
        while self.claims and await self._claim_one():
            pass

    async def _claim_one(self) -> bool:
        async with self._placing:
            wanted = self._slots.wanted()
            if wanted == "none":
                return False
            small = None if wanted == "any" else wanted == "small"
            claimed = await asyncio.to_thread(self._store.claim, self._holder, small=small)
            if claimed is None:
                return False
            run, lease = claimed
            small = is_small(run.experiment)
            trainer = self._slots.take(small)
        log.info("run %s, attempt %d, goes to %s", run.id, run.attempt, trainer.worker.name)
        held = Held(run, lease, trainer, small)
        self._held.add(held)
        self._spawn(self._follow(held))
        return True

    async def _follow(self, held: Held) -> None:
        """Have the run trained, and settle what its function could not."""
        event, message = Event.LOSE, LOST  # not lost if its function has settled it
        try:
            await self._cluster.client.submit(
                call,
                f"{self._worker}:train",
                held.run.id,
                held.lease,
                key=f"train-{held.run.id}-{held.run.attempt}",
                workers=[held.trainer.worker.address],
                resources={"slot": 1},
                pure=False,
            )
        except PlaygroundError as error:
            event, message = Event.FAIL, str(error)
        except Exception as error:  # whatever Dask calls it: nobody trains this run any more
            log.warning("run %s lost (%s)", held.run.id, type(error).__name__)
        try:
            await self._settle(held, event, message)
        finally:
            self._held.discard(held)
            self._slots.give_back(held.trainer, held.small)

    async def _settle(self, held: Held, event: Event, message: str) -> None:
        """Let ``event`` happen to the run if it still is in these hands."""
        with suppress(LeaseLost, NotAllowed, NotFound):
            try:
                if event is Event.LOSE:
                    await asyncio.to_thread(self._store.lose, held.run.id, held.lease, message)
                else:
                    await asyncio.to_thread(self._store.apply, held.run.id, held.lease, event, message=message)
            except StoreError:
                log.exception("run %s cannot be settled; its lease will run out", held.run.id)

    async def _greet(self, trainer: Trainer) -> None:
        """Let a new worker warm up, so that no lease runs out over its imports, and ask what it computes on.

        A run that waits alone pays for that as it goes, and sooner. Of thirty at once some would be silent for so long
        that their leases ran out.
        """
        try:
            waiting = await asyncio.to_thread(self._store.runs, statuses=(RunStatus.QUEUED,), limit=2)
            what = "device" if len(waiting) == 1 else "warm_up"
            self.device = await self._cluster.client.submit(
                call, f"{self._worker}:{what}", workers=[trainer.worker.address], pure=False
            )
        except Exception:  # it is gone again, or cannot: then the run that it gets will say why
            log.exception("%s could not warm up", trainer.worker.name)
        trainer.warm = True

    # Watching

    async def _watch(self) -> None:
        """Interrupt runs whose workers fell silent, and replace workers."""
        await self._interrupt_silent_runs()
        await self._replace_workers()

    async def _interrupt_silent_runs(self) -> None:
        now = time.monotonic()
        if now - self._watched > self._lease_seconds / 2:
            # This process itself was asleep: whoever seems silent since then may not have been.
            self._leases = LeaseWatch(self._store, self._lease_seconds)
        self._watched = now
        for id, lease in (await asyncio.to_thread(self._leases.lost)).items():
            if self._is_beginning(lease, now):
                continue
            if not await self._store_is_free(id):
                # Workers may be silent because they wait for the store as we did: all get their time anew.
                self._leases = LeaseWatch(self._store, self._lease_seconds)
                return
            log.warning("run %s is silent", id)
            await asyncio.to_thread(self._store.lose, id, lease, LOST)
            for held in self._held:
                if held.lease == lease:
                    held.lost = now

    def _is_beginning(self, lease: str, now: float) -> bool:
        patience = BEGINNING * self._lease_seconds
        ours = any(held.lease == lease and now - held.since < patience for held in self._held)
        return ours and not self._leases.has_moved(lease)

    async def _store_is_free(self, id: str) -> bool:
        """Whether a write (one that changes nothing) finds the store free."""
        began = time.monotonic()
        await asyncio.to_thread(self._store.request, id)
        return time.monotonic() - began < HELD_UP

    async def _replace_workers(self) -> None:
        """Give worn workers and stuck ones a fresh process."""
        by_trainer: dict[Trainer, list[Held]] = {}
        for held in self._held:
            by_trainer.setdefault(held.trainer, []).append(held)
        now = time.monotonic()
        stuck = [
            trainer
            for trainer, all_ in by_trainer.items()
            if all(held.lost is not None and now - held.lost > GRACE for held in all_) and not trainer.closing
        ]
        async with self._placing:  # or a run might be on its way to one of them
            leaving = [*stuck, *self._slots.worn()]
            for trainer in leaving:
                trainer.closing = True
        for trainer in leaving:
            log.info("%s gets a fresh process after %.0f runs", trainer.worker.name, trainer.runs)
            self._spawn(self._replace(trainer))

    async def _replace(self, trainer: Trainer) -> None:
        try:
            await self._cluster.restart(trainer.worker)
        except Exception:  # tried again while it is the same process; a new one has an account of its own
            log.exception("%s got no fresh process", trainer.worker.name)
        finally:
            trainer.closing = False

    # Tasks

    async def _repeat(self, action: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            try:
                await action()
            except Exception:  # the store or the scheduler is away for a while; giving up would stop everything
                log.exception("the dispatcher could not %s; it tries again", action.__name__.strip("_"))
                await asyncio.sleep(AFTER_TROUBLE)
            await asyncio.sleep(seconds)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
