"""What watching gradients costs: examples a second with and without it, in turn in one process.

    python -m benchmarks.gradient_cost [--json]

``mnist-mlp-128`` and ``mnist-cnn`` in the sizes of their recipes, on random pictures; the loop as the app runs it,
recording to a real store. Within one training, watching is switched on and off every few seconds, so that a machine
that changes its speed changes it for both; the median over pairs of neighbouring turns counts.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.report import note, report
from playground.data import describe
from playground.engine.model import build_model, compile_model
from playground.engine.model.build import stack
from playground.engine.probes.health import WatchHealth
from playground.engine.training import (
    Callback,
    Learner,
    Loop,
    OnDevice,
    Pilot,
    Program,
    Schedule,
    build_all,
    variables_of,
)
from playground.engine.training.callbacks import Obey, Record
from playground.engine.training.reporting import Reporter
from playground.recipes import recipe
from playground.spec import Experiment
from playground.store import Store, open_store

NAMES: dict[str, tuple[int, Literal["plain", "xla"]]] = {
    "mnist-mlp-128": (12_800, "xla"),
    "mnist-cnn": (6_400, "plain"),
}
"""Recipes, examples in an epoch of theirs here, and the variant of the loop that ``auto`` chooses for them."""
ROUNDS, SECONDS = 6, 8.0
"""Turns are long beside the seconds between two measurements: the first comes at once, whatever was before."""
BAR = 0.05


class Timed:
    """Trains one recipe for some seconds, watched or not."""

    def __init__(self, name: str, store: Store) -> None:
        self._experiment, self._store = recipe(name).experiment, store
        facts = describe(self._experiment.data)
        examples, self._execution = NAMES[name]
        rng = np.random.default_rng(0)
        self._x = rng.normal(size=(examples, *facts.input_shape)).astype("float32")
        self._y = rng.integers(0, 10, examples).astype("int32")
        model = build_model(self._experiment, facts)
        compile_model(model, self._experiment, facts)
        build_all(model, (self._x, self._y))
        self._program = Program(model, self._schedule(1))
        self._learner = Learner(self._program, [v.numpy() for v in variables_of(model)])
        self._layers = [layer.id for layer in stack(self._experiment, facts)]

    def _schedule(self, epochs: int) -> Schedule:
        return Schedule(len(self._y), 32, epochs)

    def rates(self) -> list[tuple[float, float]]:
        """Examples a second in neighbouring turns, without and with watching, what callbacks take included."""
        run = self._store.create_run(Experiment())
        _, lease = self._store.claim("bench", run_id=run.id) or (None, "")
        with Reporter(self._store, run.id, lease) as reporter:
            watch = WatchHealth(
                reporter,
                lambda arrays: self._store.write_arrays(run.id, "health", arrays),
                self._x,
                self._y,
                self._layers,
            )
            turns = Turns(watch)
            schedule = self._schedule(100_000)
            Loop(
                self._learner,
                OnDevice((self._x, self._y), schedule, shuffle=True, seed=0),
                schedule=schedule,
                pilot=Pilot(self._program, self._execution, (), settled=True),
                callbacks=[Record(reporter), Obey(reporter, lambda event: None), turns],
            ).run()
        rates = [steps * schedule.batch_size for steps in turns.steps_per_second]
        return list(zip(rates[1::2], rates[2::2], strict=True))


class Turns(Callback):
    """Lets another callback work every other turn; the first turn, in which it does, compiles and does not count."""

    def __init__(self, watch: Callback) -> None:
        self._watch, self._is_on = watch, True
        self._began, self._step = 0.0, 0
        self.steps_per_second: list[float] = []

    def on_train_begin(self, loop: Loop) -> None:
        self._watch.on_train_begin(loop)
        self._began = time.perf_counter()

    def on_stretch_end(self, loop: Loop) -> None:
        if self._is_on:
            self._watch.on_stretch_end(loop)
        now = time.perf_counter()
        if now - self._began > SECONDS:
            self.steps_per_second.append((loop.step - self._step) / (now - self._began))
            self._is_on, self._began, self._step = not self._is_on, now, loop.step
            loop.stop_training = len(self.steps_per_second) > 2 * ROUNDS

    def on_train_end(self, loop: Loop) -> None:
        self._watch.on_train_end(loop)


def measure() -> Mapping[str, Any]:
    """The share of throughput that watching costs, for each recipe."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home:
        store = open_store(f"sqlite:///{Path(home) / 'bench.db'}", Path(home) / "runs")
        for name in NAMES:
            note(f"{name}: with and without, {ROUNDS} pairs of {SECONDS:.0f} s")
            pairs = Timed(name, store).rates()
            cost = 1 - statistics.median(watched / without for without, watched in pairs)
            found[name] = {
                "cost": round(cost, 4), "met": cost <= BAR,
                "examples_per_second": [round(statistics.median(rates)) for rates in zip(*pairs, strict=True)],
            }  # fmt: skip
        store.close()
    return found


if __name__ == "__main__":
    report(measure, __doc__)
