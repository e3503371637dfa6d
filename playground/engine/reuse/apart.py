"""The parent's side of the throw-away process: start it, wait, and read what it left."""

import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import playground
from playground.engine.reuse import handover
from playground.engine.reuse.handover import READY
from playground.errors import EngineUnavailable, ModelRefused

START_SECONDS = 40.0
"""Until the child has imported what it needs; a second, unless the machine is busy."""
WALL_SECONDS = 9.0
"""From then on."""

TOO_MUCH = "Reading the file took more memory or time than a file from outside may take. Save a smaller model again."
BUSY = "This machine is too busy to look at the file now. Try again in a moment."

log = logging.getLogger(__name__)

Layers = list[list[NDArray[np.float32]]]


def examine_apart(path: Path, folder: Path) -> tuple[handover.Network, Layers]:
    """What a child process finds in a file: the network, and its weights a layer.

    Args:
        path: the file.
        folder: in it the child gets a room of its own for as long as it lives.

    Raises:
        ModelRefused: with every reason.
        EngineUnavailable: the machine is too busy.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="room-", dir=folder, ignore_cleanup_errors=True) as name:
        room = Path(name).resolve()
        errors = room / "errors.txt"
        with errors.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-m", "playground.engine.reuse.child", path.resolve(), room],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file, cwd=room, env=_environment(room),
            )  # fmt: skip
        try:
            _wait(process, room)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            with errors.open("rb") as file:
                said = file.read(4000).decode(errors="replace")
            log.warning("A file was not read to its end (%s): %s", process.returncode, said)
            raise ModelRefused([TOO_MUCH])
        return handover.read(room)


def _wait(process: subprocess.Popen[bytes], room: Path) -> None:
    """Wait until the child has ended. Its time counts from when it is ready: a busy machine is no fault of the file."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and not (room / READY).exists():
        if time.monotonic() > deadline:
            raise EngineUnavailable(BUSY)
        time.sleep(0.01)
    try:
        process.wait(WALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise ModelRefused([TOO_MUCH]) from None


def _environment(room: Path) -> dict[str, str]:
    """Nothing of ours: no settings, no secrets, no home folder."""
    variables = {
        "PYTHONPATH": str(Path(playground.__file__).resolve().parents[1]),
        "OPENBLAS_NUM_THREADS": "1",  # a process of one thread may still leave its network
        "HDF5_PLUGIN_PRELOAD": "::",  # HDF5 loads no plug-ins
    }
    variables |= dict.fromkeys(("HOME", "TMPDIR", "TEMP", "KERAS_HOME"), str(room))
    return variables | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # Windows needs it
