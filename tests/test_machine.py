"""What computes."""

from types import SimpleNamespace

import pytest
from distributed.diagnostics import nvml

from playground.engine import machine

pytestmark = pytest.mark.keras


@pytest.fixture
def gpu(monkeypatch):
    """A machine on which TensorFlow sees a GPU, and whose driver tells what is given."""

    def driver(tells):
        monkeypatch.setattr(machine.tf.config, "list_physical_devices", lambda kind: ["a GPU"])
        monkeypatch.setattr(nvml, "real_time", tells)

    return driver


def test_how_busy_the_gpu_is(gpu):
    gpu(lambda: {"utilization": 63, "memory-used": 2_100_000_000})
    assert machine.gpu_use() == (0.63, 2_100_000_000)


def test_a_part_of_a_gpu_does_not_say_how_busy_it_is(gpu):
    gpu(lambda: {"utilization": None, "memory-used": 2_100_000_000})
    assert machine.gpu_use() == (None, 2_100_000_000)


def test_a_driver_that_cannot_be_asked_is_no_fault_of_the_run(gpu):
    def fails():
        raise RuntimeError("NVML monitoring requires PyNVML and NVML to be installed")

    gpu(fails)
    assert machine.gpu_use() == (None, 0)


def test_without_a_gpu_the_driver_is_not_asked(monkeypatch):
    monkeypatch.setattr(machine.tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(nvml, "real_time", lambda: pytest.fail("asked"))
    assert machine.gpu_use() == (None, 0)


def test_it_is_measured_once_a_second(monkeypatch):
    now = SimpleNamespace(monotonic=lambda: 7.1)
    monkeypatch.setattr(machine, "time", now)  # not the clock of the whole process
    machine._use.cache_clear()
    first = machine.use()
    assert first.memory > 50_000_000
    monkeypatch.setattr(machine, "gpu_use", lambda: (0.5, 1))
    assert machine.use() is first
    now.monotonic = lambda: 8.0
    assert machine.use()[1:] == (0.5, 1)
    machine._use.cache_clear()
