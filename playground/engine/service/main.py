"""The engine's life: it opens, serves for as long as somebody needs it, and goes in good order."""

import asyncio
import dataclasses
import logging
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from playground.address import Address, Manner, Place
from playground.engine.service.cluster import Cluster, OwnCluster, RemoteCluster
from playground.engine.service.dispatcher import Dispatcher
from playground.engine.service.priority import nice_among_sessions
from playground.settings import Settings
from playground.store import open_store

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between looks at whether it is time to leave."""

LOG_BYTES = 2_000_000
"""A log that grew larger starts anew; the one before is kept."""


def serve(settings: Settings, place: Place, address: Address, worker: str) -> None:
    """Serve until asked to leave or no longer needed. The place's lock is held by the caller."""
    for verbose in ("distributed", "alembic"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
    asyncio.run(Engine(settings, place, address, worker).live())


class Engine:
    """A cluster, a dispatcher, and the reasons to leave."""

    def __init__(self, settings: Settings, place: Place, address: Address, worker: str) -> None:
        self._settings = settings
        self._place = place
        self._address = address
        self._worker = worker
        self._leave = asyncio.Event()
        self._last_beat = place.last_beat()
        self._needed = 0.0

    async def live(self) -> None:
        """From the first worker to the last."""
        self._mind_signals()
        opening = asyncio.to_thread(open_store, self._settings.database, self._settings.artifacts)
        cluster = self._cluster()
        try:
            store, _ = await asyncio.gather(opening, cluster.start())
            holder = f"engine {self._address.pid} {self._address.nonce}"
            dispatcher = Dispatcher(cluster, store, self._settings, holder=holder, worker=self._worker)
            await dispatcher.start()
            nice_among_sessions(0)
            log.info("ready after %.1f s", time.time() - self._address.started)
            await self._serve(cluster, dispatcher)
            await dispatcher.close()
        finally:
            await cluster.close()
        log.info("left")

    async def _serve(self, cluster: Cluster, dispatcher: Dispatcher) -> None:
        """Return when it is time to leave."""
        self._needed = time.monotonic()
        while not self._leave.is_set() and cluster.client.status != "closed":
            manner = self._manner(dispatcher)
            if manner == "now" or not (dispatcher.claims or dispatcher.running):
                return
            if manner is None:
                self._publish(cluster, dispatcher)
            elif dispatcher.claims:
                log.info("no new runs; %d to finish", dispatcher.running)
                dispatcher.claims = False
                # Whoever comes next need not wait for our last run.
                self._place.clear(self._address.nonce)
                self._place.lock.release()
            trim_log(self._place.log)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), timeout=LOOK_EVERY)

    def _manner(self, dispatcher: Dispatcher) -> Manner | None:
        """How to leave; None to stay."""
        asked = self._place.asked_to_leave(self._address.nonce)
        if asked is not None:
            return asked
        present = self._place.read()
        if present is None or present.nonce != self._address.nonce:
            return "finish"  # the folder was deleted, or somebody else took the place
        beat, now = self._place.last_beat(), time.monotonic()
        if beat != self._last_beat or dispatcher.running:
            self._last_beat, self._needed = beat, now
        if now - self._needed > self._settings.idle_minutes * 60:
            log.info("nobody needed this engine for %g minutes", self._settings.idle_minutes)
            return "finish"
        return None

    def _publish(self, cluster: Cluster, dispatcher: Dispatcher) -> None:
        """Tell how the engine is, if that changed."""
        address = dataclasses.replace(
            self._address, workers=dispatcher.workers, running=dispatcher.running, device=dispatcher.device
        )
        if isinstance(cluster, OwnCluster):
            security = cluster.security
            address = dataclasses.replace(
                address,
                scheduler=cluster.address,
                certificate=security.tls_client_cert,
                key=security.tls_client_key,
            )
        if address != self._address:
            self._place.write(address)
            self._address = address

    def _cluster(self) -> Cluster:
        if self._settings.engine:
            return RemoteCluster(self._settings)
        return OwnCluster(self._settings, self._place.folder, self._worker)

    def _mind_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._leave.set))


def trim_log(path: Path) -> None:
    """Start the log anew when it has grown large. Its writers only append: they need not know."""
    if path.is_file() and path.stat().st_size > LOG_BYTES:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        with path.open("r+b") as file:
            file.truncate(0)
