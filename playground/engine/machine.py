"""What computes: the device, and the versions of all that the numbers depend on."""

import os
import platform
import time
from functools import cache, lru_cache
from typing import NamedTuple

import keras
import numpy as np
import psutil
import tensorflow as tf
from distributed.diagnostics import nvml

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


class Use(NamedTuple):
    """What is taken of the machine at a moment."""

    memory: int
    """Bytes that this process holds; the runs that share a worker share them."""
    gpu: float | None
    """Share of the last moments in which the GPU computed, from 0 to 1; None where it cannot be told."""
    gpu_memory: int
    """Bytes of the GPU's memory that are taken, by whomever."""


def use() -> Use:
    """What is taken now, measured once a second: every run asks many times as often."""
    return _use(int(time.monotonic()))


@lru_cache(maxsize=1)
def _use(second: int) -> Use:
    return Use(int(_this_process().memory_info().rss), *gpu_use())


def gpu_use() -> tuple[float | None, int]:
    """How busy the GPU is that TensorFlow computes on, from 0 to 1, and how many bytes of its memory are taken.

    As NVIDIA's driver tells it, for all that run on it; (None, 0) without a GPU or where the driver cannot be asked.
    """
    if not tf.config.list_physical_devices("GPU"):
        return None, 0
    try:
        found = nvml.real_time()
    except (RuntimeError, getattr(nvml.pynvml, "NVMLError", RuntimeError)):
        return None, 0  # without the driver's library, or in a container that may not ask
    busy, taken = found["utilization"], found["memory-used"]
    return None if busy is None else busy / 100, taken or 0


@cache
def _this_process() -> psutil.Process:
    """Finding it takes longer than asking it."""
    return psutil.Process()
