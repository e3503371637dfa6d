"""Where an engine is found: the files in ``<home>/engine`` by which the app and its engine meet.

``engine.lock`` is held by the engine for as long as it claims runs, and freed by the operating system however it ends:
whether an engine lives is a question to the lock, never to a process id. ``address.json`` (readable by this user
only: it holds the key to the door) says who it is and where it listens. ``heartbeat`` is touched by those who need it,
``leave`` asks it to go.
"""

import hashlib
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from playground import __version__
from playground.errors import EngineUnavailable
from playground.settings import Settings

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_to_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


Manner = Literal["finish", "now"]
"""How an engine is asked to leave: after the runs it has, or interrupting them."""


@dataclass(frozen=True, slots=True)
class Address:
    """Who the engine is, where it listens and how it is."""

    pid: int
    nonce: str
    """Different at every start: a client of another nonce is a client of a dead engine."""
    edition: str
    started: float
    """Seconds since 1970."""
    scheduler: str = ""
    """``tls://host:port``; empty until questions are answered."""
    certificate: str = ""
    """PEM; certificate and authority at once."""
    key: str = ""
    """PEM."""
    workers: int = 0
    """Train workers that are up."""
    running: int = 0
    """Runs in the hands of this engine."""
    device: str = ""
    """What the train workers compute on."""


class Lock:
    """An exclusive lock on a file, held until released or until this process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, patience: float = 0.0) -> bool:
        """Take the lock, trying again for ``patience`` seconds; whether it was to be had."""
        deadline = time.monotonic() + patience
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        while True:
            try:
                _try_to_lock(descriptor)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.02)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Place:
    """The folder in which an engine and those who need it meet.

    Raises:
        EngineUnavailable: the folder cannot be made.
    """

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.home.absolute() / "engine"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EngineUnavailable(
                f"The folder {self.folder} cannot be made: {error.strerror}. Choose another place with PLAYGROUND_HOME."
            ) from error
        self.lock = Lock(self.folder / "engine.lock")
        self.log = self.folder / "engine.log"
        self._address = self.folder / "address.json"
        self._heartbeat = self.folder / "heartbeat"
        self._leave = self.folder / "leave"

    def occupied(self, patience: float = 0.0) -> bool:
        """Whether an engine holds the place now.

        To look is to hold the lock for an instant: with some ``patience`` (seconds) another look is not taken for an
        engine.
        """
        probe = Lock(self.folder / "engine.lock")
        try:
            if not probe.acquire(patience):
                return True
        except FileNotFoundError:  # the home folder was deleted meanwhile
            return False
        probe.release()
        return False

    def read(self) -> Address | None:
        """The engine's address; None where none was left or it cannot be understood."""
        try:
            return Address(**json.loads(self._address.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # absent, or written by an older edition with other fields
            return None

    def write(self, address: Address) -> None:
        """Publish the address in one step, readable by this user only."""
        _write_private(self._address, json.dumps(asdict(address)))

    def clear(self, nonce: str) -> None:
        """Take the address back unless it belongs to another engine by now."""
        address = self.read()
        if address is not None and address.nonce == nonce:
            self._address.unlink(missing_ok=True)

    def beat(self) -> None:
        """Somebody needs the engine: it stays for another while."""
        with suppress(FileNotFoundError):  # the home folder was deleted meanwhile
            self._heartbeat.touch()

    def last_beat(self) -> int:
        """A number that changes with every beat. It is compared with itself only, never with a clock."""
        try:
            return self._heartbeat.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def ask_to_leave(self, nonce: str, manner: Manner) -> None:
        """Ask the engine ``nonce`` to go: after its runs ("finish"), or at once ("now")."""
        _write_private(self._leave, f"{nonce} {manner}")

    def asked_to_leave(self, nonce: str) -> Manner | None:
        """How the engine ``nonce`` is asked to go; None when it is not."""
        try:
            who, _, manner = self._leave.read_text(encoding="utf-8").partition(" ")
        except FileNotFoundError:
            return None
        return next((known for known in get_args(Manner) if known == manner), None) if who == nonce else None


def edition(settings: Settings) -> str:
    """What decides how an engine behaves: version, settings and source. An engine of another edition is replaced."""
    newest = max(path.stat().st_mtime_ns for path in Path(__file__).parent.rglob("*.py"))
    content = json.dumps([settings.environ(), newest], sort_keys=True)
    return f"{__version__}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
