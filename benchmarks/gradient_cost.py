"""What watching gradients costs: examples a second with and without it, in turn in one process.

    python -m benchmarks.gradient_cost [--json]

``mnist-mlp-128`` and ``mnist-cnn`` in the sizes of their recipes, on random pictures; the loop as the app runs it,
recording to a real store. Both are warmed up first; then they are timed in turn, so that a machine that changes its
speed changes it for both, and the median of the rounds' ratios counts.
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
ROUNDS, SECONDS = 5, 8.0
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

    def rate(self, seconds: float, *, watched: bool) -> float:
        """Examples a second of the whole training, callbacks and their last words included."""
        run = self._store.create_run(Experiment())
        _, lease = self._store.claim("bench", run_id=run.id) or (None, "")
        with Reporter(self._store, run.id, lease) as reporter:
            callbacks: list[Callback] = [Record(reporter), Obey(reporter, lambda event: None), Until(seconds)]
            if watched:
                save = self._store.write_arrays
                watch = WatchHealth(
                    reporter, lambda arrays: save(run.id, "health", arrays), self._x, self._y, self._layers
                )
                callbacks.append(watch)
            schedule = self._schedule(100_000)
            source = OnDevice((self._x, self._y), schedule, shuffle=True, seed=0)
            pilot = Pilot(self._program, self._execution, (), settled=True)
            loop = Loop(self._learner, source, schedule=schedule, pilot=pilot, callbacks=callbacks)
            began = time.perf_counter()
            loop.run()
            return loop.step * schedule.batch_size / (time.perf_counter() - began)


class Until(Callback):
    """Ends a training after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds

    def on_stretch_end(self, loop: Loop) -> None:
        loop.stop_training = time.perf_counter() > self._end


def measure() -> Mapping[str, Any]:
    """The share of throughput that watching costs, for each recipe."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home:
        store = open_store(f"sqlite:///{Path(home) / 'bench.db'}", Path(home) / "runs")
        for name in NAMES:
            note(f"{name}: with and without, {ROUNDS} rounds of {SECONDS:.0f} s")
            timed = Timed(name, store)
            for watched in (False, True):  # compiles
                timed.rate(2.0, watched=watched)
            pairs = [(timed.rate(SECONDS, watched=False), timed.rate(SECONDS, watched=True)) for _ in range(ROUNDS)]
            cost = 1 - statistics.median(watched / without for without, watched in pairs)
            found[name] = {
                "cost": round(cost, 4), "met": cost <= BAR,
                "examples_per_second": [round(statistics.median(rates)) for rates in zip(*pairs, strict=True)],
            }  # fmt: skip
        store.close()
    return found


if __name__ == "__main__":
    report(measure, __doc__)
