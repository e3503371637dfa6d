"""What happens inside a worker process as it starts. Dask calls ``dask_setup`` before the worker takes work."""

import gc
import logging
import os
import signal
import sys

from distributed import Worker

from playground.engine.service.priority import nice_among_sessions

NICE = 5
"""Training gives way to pages and to questions."""
SECONDS_OF_A_TURN = 0.001


def dask_setup(worker: Worker) -> None:
    """Take the manners of a worker: quiet, and polite where it trains."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")
    # An error that a function raised is an answer; ``calls`` has logged it if it is a fault.
    logging.getLogger("distributed.worker").addFilter(lambda record: not str(record.msg).startswith("Compute Failed"))
    # Ctrl-C in a terminal reaches the whole group; how its workers end is for the engine to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Traces of Keras models are Python for seconds, beside trainings: they are to give way more often than every 5 ms.
    sys.setswitchinterval(SECONDS_OF_A_TURN)
    # Half a million objects came with TensorFlow and stay: to search them for garbage stops all threads for 0.3 s.
    gc.freeze()
    gc.enable()
    if str(worker.name).startswith("train") and hasattr(os, "nice"):
        os.nice(NICE)
        os.setsid()
        nice_among_sessions(NICE)
