"""The workers and their scheduler: processes on this machine behind a door of mutual TLS, or a remote scheduler's."""

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import dask.config
import distributed
from distributed import Nanny, Security

from playground.engine.service import METHOD, PRELOAD
from playground.settings import Settings

log = logging.getLogger(__name__)

HOST = "127.0.0.1"

QUESTION_THREADS = 4

CONFIGURATION: Mapping[str, Any] = {
    "distributed.worker.multiprocessing-method": METHOD,
    # The store is the queue. Dask executes: it neither repeats a run nor gives up one that computes for long.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    # A task for a worker that vanished meanwhile fails instead of waiting for it.
    "distributed.scheduler.no-workers-timeout": "5s",
    # A run's memory is not Dask's to spill, to pause or to end.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.comm.require-encryption": True,
    # What watches Dask itself costs more than all that we ask of it.
    "distributed.worker.profile.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.gil.enabled": False,
}


@dataclass(frozen=True, slots=True)
class Worker:
    """A train worker that is up."""

    name: str
    address: str
    """Different after every restart."""
    memory: int
    """Resident bytes, as of the last second or so."""


class Cluster(Protocol):
    """What the dispatcher needs: a client, and the train workers."""

    client: distributed.Client

    async def start(self) -> None:
        """Return when questions are answered; call once."""

    async def trainers(self) -> list[Worker]:
        """The train workers that are up."""

    async def restart(self, worker: Worker) -> None:
        """Give a train worker a fresh process, whatever it is doing."""

    async def close(self) -> None:
        """End what is ours."""


class _NoHttp:
    """Dask's servers also speak plain HTTP, to anybody on this machine. Ours do not."""

    def start_http_server(self, *_args: Any, **_options: Any) -> None:
        """Open no port."""


class TlsScheduler(_NoHttp, distributed.Scheduler):
    """A scheduler with TLS as its only door."""


class TlsWorker(_NoHttp, distributed.Worker):
    """A worker with TLS as its only door."""


class OwnCluster:
    """A scheduler in this process, a question worker and train workers in processes that are restarted when they die.

    A process of workers ends with this one, however this one ends: each watches a pipe that the kernel then closes.
    """

    client: distributed.Client

    def __init__(self, settings: Settings, folder: Path, worker: str) -> None:
        dask.config.set(CONFIGURATION)
        self.security = Security.temporary()
        self._settings = settings
        self._scratch = folder / "scratch"
        self._preload = [PRELOAD, worker, "playground.engine.service.process"]
        self._scheduler = TlsScheduler(
            host=HOST, protocol="tls", security=self.security, dashboard=False, dashboard_address=None
        )
        self._nannies: dict[str, Nanny] = {}
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Return when questions are answered; call once."""
        await self._open.enter_async_context(self._scheduler)
        gpus, slot = visible_gpus(), self._settings.small_runs + 1  # one for a large run
        # The GPU's memory is for training; questions need none of it. A download may last: one at a time.
        self._add("question", QUESTION_THREADS, {"question": QUESTION_THREADS, "fetch": 1}, gpu="-1")
        for n in range(self._settings.train_workers):
            self._add(f"train-{n}", slot, {"slot": slot}, gpu=gpus[n % len(gpus)] if gpus else None)
        self._open.push_async_callback(self._end_workers)
        await asyncio.gather(*self._nannies.values())
        client = distributed.Client(self.address, asynchronous=True, security=self.security, set_as_default=False)
        self.client = await self._open.enter_async_context(client)

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return str(self._scheduler.address)

    async def trainers(self) -> list[Worker]:
        """The train workers that are up."""
        return [
            Worker(str(state.name), address, state.memory.process)
            for address, state in self._scheduler.workers.items()
            if "slot" in state.resources and state.status is distributed.Status.running
        ]

    async def restart(self, worker: Worker) -> None:
        """Give a train worker a fresh process, whatever it is doing."""
        await self._nannies[worker.name].restart(timeout=15)

    async def close(self) -> None:
        """End everything that was started, and only that."""
        await self._open.aclose()

    async def _end_workers(self) -> None:
        """End the workers, killing those that have not ended after two seconds."""
        await asyncio.gather(*(nanny.close(timeout=2) for nanny in self._nannies.values()), return_exceptions=True)

    def _add(self, name: str, threads: int, resources: dict[str, int], *, gpu: str | None) -> None:
        self._nannies[name] = Nanny(
            self.address,
            name=name,
            host=HOST,
            protocol="tls",
            security=self.security,
            nthreads=threads,
            resources=resources,
            memory_limit=None,
            local_directory=str(self._scratch),
            preload=self._preload,
            env={} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu},
            worker_class=TlsWorker,
            silence_logs=logging.WARNING,
        )


class RemoteCluster:
    """The workers of a scheduler that others run: those with the resource "slot" train, "question" answers.

    Give each train worker as much "slot" and as many threads as ``small_runs`` and one more for a large run, and run
    one engine beside them.
    """

    client: distributed.Client

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def start(self) -> None:
        """Return when the scheduler answers."""
        settings = self._settings
        security = Security(
            require_encryption=True,
            tls_ca_file=str(settings.engine_ca),
            tls_client_cert=str(settings.engine_cert),
            tls_client_key=str(settings.engine_key),
        )
        self.client = await distributed.Client(
            settings.engine, asynchronous=True, security=security, set_as_default=False
        )

    async def trainers(self) -> list[Worker]:
        """The train workers that are up."""
        workers = (await self.client.scheduler.identity(n_workers=-1))["workers"]
        return [
            Worker(str(worker["name"]), address, worker["metrics"].get("memory", 0))
            for address, worker in workers.items()
            if "slot" in worker["resources"]
        ]

    async def restart(self, worker: Worker) -> None:
        """Give a train worker a fresh process, whatever it is doing."""
        await self.client.restart_workers([worker.address], timeout=15, raise_for_error=False)

    async def close(self) -> None:
        """Leave; the workers stay."""
        await self.client.close()


def visible_gpus() -> list[str]:
    """The GPUs that TensorFlow would see, as values for ``CUDA_VISIBLE_DEVICES``; found without loading CUDA."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    return [str(n) for n, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]
