"""The real app in a process of its own, with a home of its own, for tests, benchmarks and screenshots."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SHARED_DATA = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class App:
    """An app that answers at ``url``."""

    url: str
    home: Path
    process: psutil.Process
    """The web process."""
    environment: Mapping[str, str]


def environment_for(home: Path) -> dict[str, str]:
    """Variables for an app, a command or an engine that lives in ``home`` and leaves soon after its last work."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    return environment | {
        "PLAYGROUND_HOME": str(home),
        "PLAYGROUND_DATA": os.environ.get("PLAYGROUND_DATA", str(SHARED_DATA)),
        "PLAYGROUND_IDLE_MINUTES": "2",
    }


@contextmanager
def running_app(home: Path, **settings: str) -> Iterator[App]:
    """Start the app, wait until it is healthy, and end it together with its engine.

    Args:
        home: folder of its store, artifacts and engine.
        **settings: more environment variables, such as ``PLAYGROUND_TRAIN_WORKERS="2"``.

    Raises:
        RuntimeError: it ended, or was not healthy within a minute; the message ends with its log.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = environment_for(home) | settings
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
        "--server.address=127.0.0.1", f"--server.port={port}",
    ]  # fmt: skip
    with (home / "app.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    app = App(f"http://127.0.0.1:{port}", home, psutil.Process(process.pid), environment)
    try:
        _wait_until_healthy(app, process)
        yield app
    finally:
        process.terminate()
        process.wait(30)
        stop_engine(environment)


def _wait_until_healthy(app: App, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{app.url}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"The app is not healthy:\n{(app.home / 'app.log').read_text(errors='replace')[-3000:]}")


def stop_engine(environment: Mapping[str, str]) -> None:
    """End the engine that lives in the home of ``environment``, if there is one."""
    subprocess.run([sys.executable, "-m", "playground", "engine", "stop"], env=environment, cwd=ROOT, check=False)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
