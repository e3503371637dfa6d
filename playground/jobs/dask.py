"""Questions to an engine in another process, by Dask."""

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.address import Address, Place
from playground.calls import call
from playground.errors import EngineUnavailable, PlaygroundError, StoreError
from playground.jobs.base import CALLS, EngineStatus
from playground.jobs.engine import start_engine
from playground.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger(__name__)

STARTING = "The engine is starting. Wait a few seconds; runs queue meanwhile."
NONE = "No engine is running. Open the app, or start one with: python -m playground engine."
LOST = "The engine does not answer. Wait a few seconds; if it stays so, look into {log}."
BUSY = "The engine did not answer within {seconds:.0f} seconds. Try again in a moment."

SINGLE = ("fetch",)
"""Calls that may last for minutes: one at a time, so that other questions find a thread."""

CONNECT_SECONDS = 5.0
BEAT_SECONDS = 10.0
STATUS_SECONDS = 0.5
"""How long a status is told without looking again."""
REVIVE_SECONDS = 10.0
"""How long an engine that was started may take to appear before another is."""


@dataclass(frozen=True, slots=True)
class _Connection:
    client: "Client"
    nonce: str

    def is_of(self, address: Address) -> bool:
        """Whether it still leads to the engine at ``address``."""
        return self.nonce == address.nonce and self.client.status in ("running", "connecting")


class DaskJobs:
    """Asks the engine of ``settings.home``, or the remote scheduler that the settings name.

    May be shared between threads. It connects with the first question, and again when another engine has come.

    Args:
        settings: where the engine is.
        revive: start an engine wherever one is missed, as the app does.
        calls: the functions, by their names.
        worker: module of the functions of an engine that is revived, in place of the usual one.

    Raises:
        StoreError: a remote engine cannot share a store that is a file on this machine.
    """

    def __init__(
        self, settings: Settings, *, revive: bool = False, calls: Mapping[str, str] = CALLS, worker: str = ""
    ) -> None:
        if settings.engine and settings.database.startswith("sqlite"):
            raise StoreError(
                "A remote engine cannot share SQLite, which is a file on this machine. Set PLAYGROUND_STORE_URL to a "
                "PostgreSQL database that both reach."
            )
        self._settings = settings
        self._revive = revive
        self._calls = calls
        self._worker = worker
        self._place = Place(settings)
        self._connection: _Connection | None = None
        self._connecting = threading.Lock()
        self._beaten = float("-inf")
        self._started = time.monotonic()  # by the app, at the same time as this
        self._attempts = 0
        self._status: tuple[float, EngineStatus] | None = None

    def ask(self, name: str, *args: Any, timeout: float = 20) -> Any:
        """Have the engine call ``CALLS[name]``; see ``Jobs.ask``."""
        client = self._client()
        try:
            future = client.submit(
                call,
                self._calls[name],
                *args,
                key=f"{name}-{secrets.token_hex(8)}",
                resources={"question": 1} | ({name: 1} if name in SINGLE else {}),
                pure=False,
            )
            # With the last reference to it the future goes, and what was not begun is not begun any more.
            return future.result(timeout)
        except PlaygroundError:
            raise
        except TimeoutError:
            raise EngineUnavailable(BUSY.format(seconds=timeout)) from None
        except Exception as error:  # whatever Dask calls it: the worker or the scheduler is gone
            log.warning("%s was not answered: %r", name, error)
            self._status = None
            raise EngineUnavailable(LOST.format(log=self._place.log)) from None

    def status(self) -> EngineStatus:
        """How the engine is; looked up anew at most twice a second."""
        known = self._status
        if known is None or time.monotonic() - known[0] >= STATUS_SECONDS:
            known = self._status = (time.monotonic(), self._look())
        return known[1]

    def close(self) -> None:
        """Let go of the connection; the next question makes a new one."""
        with self._connecting:
            self._drop()

    # Which engine

    def _look(self) -> EngineStatus:
        if self._settings.engine:
            return self._look_far()
        self._beat()
        if not self._place.occupied():
            return self._look_again()
        address = self._place.read()
        if address is None or not address.scheduler:
            return EngineStatus("starting", message=STARTING)
        self._attempts = 0
        if self._revive and self._connection is None and not self._connecting.locked():
            # Half a second that the first question need not wait.
            threading.Thread(target=self._connect_ahead, name="connect", daemon=True).start()
        return EngineStatus("ready", address.workers, address.device, address.running)

    def _look_again(self) -> EngineStatus:
        """Nobody is there: start an engine, if that is for us to do."""
        lost = EngineStatus("lost", message=LOST.format(log=self._place.log))
        if not self._revive:
            return lost if self._place.read() else EngineStatus("none", message=NONE)
        if time.monotonic() - self._started > REVIVE_SECONDS:
            self._started = time.monotonic()
            self._attempts += 1
            start_engine(self._settings, self._worker)
        return lost if self._attempts > 2 else EngineStatus("starting", message=STARTING)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten > BEAT_SECONDS:
            self._beaten = time.monotonic()
            self._place.beat()

    def _look_far(self) -> EngineStatus:
        try:
            workers = self._client().scheduler_info(n_workers=-1)["workers"].values()
        except EngineUnavailable as error:
            return EngineStatus("lost", message=str(error))
        trainers = [worker for worker in workers if "slot" in worker["resources"]]
        running = sum(worker["metrics"].get("task_counts", {}).get("executing", 0) for worker in trainers)
        return EngineStatus("ready", len(trainers), f"workers of {self._settings.engine}", running)

    # The connection

    def _client(self) -> "Client":
        """A client of the engine that lives now."""
        address = self._address()
        connection = self._connection
        if connection is not None and connection.is_of(address):
            return connection.client
        with self._connecting:
            if self._connection is None or not self._connection.is_of(address):
                self._drop()
                self._connection = self._connect(address)
            return self._connection.client

    def _connect_ahead(self) -> None:
        with suppress(EngineUnavailable):  # whoever asks will hear of it
            self._client()

    def _address(self) -> Address:
        if self._settings.engine:
            return Address(0, self._settings.engine, "", 0.0, self._settings.engine)
        self._beat()
        address = self._place.read() if self._place.occupied() else None
        if address is None or not address.scheduler:
            raise EngineUnavailable(self._look().message or STARTING)
        return address

    def _connect(self, address: Address) -> _Connection:
        # Half a second and 40 MB that the first page does without.
        from distributed import Client, Security  # noqa: PLC0415

        settings = self._settings
        security = Security(
            require_encryption=True,
            tls_ca_file=address.certificate or str(settings.engine_ca),
            tls_client_cert=address.certificate or str(settings.engine_cert),
            tls_client_key=address.key or str(settings.engine_key),
        )
        logging.getLogger("distributed").setLevel(logging.ERROR)  # it would tell every reconnection at length
        try:
            client = Client(
                address.scheduler,
                security=security,
                set_as_default=False,
                timeout=CONNECT_SECONDS,
                # Answers come straight from the worker, which only an engine of this machine's surely allows.
                direct_to_workers=not settings.engine,
            )
        except (OSError, TimeoutError) as error:
            log.warning("no connection to %s: %r", address.scheduler, error)
            raise EngineUnavailable(LOST.format(log=self._place.log)) from None
        return _Connection(client, address.nonce)

    def _drop(self) -> None:
        """Forget the connection. Closing one whose engine is dead takes a while, in a thread of its own."""
        if self._connection is not None:
            threading.Thread(target=self._connection.client.close, name="close client", daemon=True).start()
            self._connection = None
