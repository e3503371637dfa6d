"""What computes: the device, and the versions of all that the numbers depend on."""

import os
import platform
from functools import cache

import keras
import numpy as np
import psutil
import tensorflow as tf

import playground


def versions() -> dict[str, str]:
    """Versions of what computes."""
    return {
        "python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__,
        "numpy": np.__version__, "playground": playground.__version__,
    }  # fmt: skip


def device_name() -> str:
    """What computes: the GPU's name, or the CPU's kind and number of cores."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return f"CPU {platform.machine()}, {os.cpu_count()} cores"


def memory() -> int:
    """Bytes of memory that this process holds; the runs that share a worker share them."""
    return int(_this_process().memory_info().rss)


@cache
def _this_process() -> psutil.Process:
    """Finding it takes longer than asking it, which every run does several times a second."""
    return psutil.Process()
