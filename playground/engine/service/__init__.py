"""The engine process: a scheduler, workers, and the dispatcher that hands them the store's queue.

``run`` goes in the order that makes a cold start short: the lock, then the fork server (seconds of importing
TensorFlow, in a process of its own), and only then everything that this process has to import itself.
"""

import importlib
import logging
import multiprocessing
import os
import secrets
import sys
import time
from multiprocessing import forkserver

from playground.address import Address, Place, edition
from playground.engine.service.priority import nice_among_sessions
from playground.imports import importing
from playground.settings import Settings

log = logging.getLogger(__name__)

WORKER = "playground.engine.worker"
"""The module whose functions may be called by name."""

NICE_AT_START = 5
"""While it starts, the engine leaves the processor to those who draw and look at the first page."""

PRELOAD = "playground.engine.service.preload"

METHOD = "forkserver" if sys.platform == "linux" else "spawn"
"""How worker processes come to be. TensorFlow, imported but not yet used, survives a fork on Linux: one import serves
all workers, and a killed one is back in a fraction of a second."""

KEPT = (
    *("PATH", "HOME", "USER", "LANG", "LC_", "TZ", "TMP", "TEMP", "XDG_"),
    *("SYSTEMROOT", "APPDATA", "LOCALAPPDATA"),
    *("PYTHON", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "CUDA_", "NVIDIA_", "TF_", "XLA_", "KERAS_HOME"),
    *("SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "no_proxy"),
)
"""Beginnings of the variables that an engine needs. Others may be secrets, and models from strangers run in workers."""

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    # One thread: TensorFlow has a pool of its own, and idle pools of BLAS only get in its way.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def run(settings: Settings, worker: str = WORKER) -> int:
    """Be the engine of ``settings.home`` until nobody needs it; the exit code.

    ``worker`` is the module whose functions may be called by name. Where an engine lives already, this one leaves.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")
    place = Place(settings)
    # Somebody may be probing the lock, or an engine that was asked to leave may be letting go of it.
    if not place.lock.acquire(patience=2):
        present = place.read()
        log.info("an engine is already here%s", f" (process {present.pid})" if present else "")
        return 0
    address = Address(os.getpid(), secrets.token_hex(8), edition(settings), time.time())
    try:
        place.write(address)
        clean_environment(settings)
        nice_among_sessions(NICE_AT_START)
        if METHOD == "forkserver" and not settings.engine:
            start_fork_server(worker)
        with importing():
            service = importlib.import_module("playground.engine.service.main")
        service.serve(settings, place, address, worker)
    finally:
        place.clear(address.nonce)
        place.lock.release()
    return 0


def clean_environment(settings: Settings) -> None:
    """Leave in this process's environment, which all workers inherit, only what they need."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    os.environ.clear()
    os.environ.update(QUIET | kept | settings.environ())


def start_fork_server(worker: str) -> None:
    """Start the process that all workers are forked from; it imports while we go on."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([PRELOAD, "distributed.nanny", worker])
    forkserver.ensure_running()
