"""What callbacks cost a training: examples a second with and without them, in turn in one process.

    python -m benchmarks.overhead [--json]

``live``: metrics, kept epochs, checkpoints and controls, beside nothing. ``gradients``: what watches the health of a
training, and ``pictures``: the network and its decision surface, for points in the plane; each beside metrics and
controls. The loop is as the app runs it, recording to a real store. Within one training the callbacks are switched on
and off every few seconds, so that a machine that changes its speed changes it for both. Each turn with them is compared
with the turns before and after it; the median counts, and ``give_or_take`` is two standard errors of it.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.report import Skipped, note, report
from benchmarks.turns import Turns, steering
from playground.data import load
from playground.engine.model import encode_targets
from playground.engine.model.build import stack
from playground.engine.probes.health import WatchHealth
from playground.engine.probes.network import NetworkPicture
from playground.engine.stages import built_model
from playground.engine.training import Callback, Learner, Loop, OnDevice, Pilot, Program, Schedule, variables_of
from playground.engine.training.callbacks import Checkpoint, KeepEpochs, Picture, Record
from playground.engine.training.reporting import Reporter
from playground.errors import DataMissing
from playground.recipes import recipe
from playground.settings import Settings
from playground.spec import Experiment
from playground.store import Store, open_store
from tests.browser.app import SHARED_DATA

VARIANT = {"mnist-mlp-128": "xla", "mnist-cnn": "fused", "spirals": "xla"}
"""Recipes, and the variant of the loop that ``auto`` chooses for them."""
ROUNDS = {"live": (60, 1.0), "gradients": (40, 2.0), "pictures": (40, 2.0)}
"""Turns with callbacks, and seconds of each. They are long beside those between two measurements: the first comes at
once, whatever was before."""
BAR = 0.05


class Timed:
    """Trains one recipe for some seconds, with some callbacks and without them."""

    def __init__(self, name: str, store: Store) -> None:
        self._experiment, self._store, self._plan = recipe(name).experiment, store, ((0, VARIANT[name]),)
        self._data = load(self._experiment.data, 0, (*Settings().data_folders, SHARED_DATA))
        self._y = encode_targets(self._data.y_train, self._experiment, self._data.facts)
        size = self._experiment.training.batch_size
        self.batch_size = len(self._y) if size == "full" else size
        model = built_model(self._experiment, self._data)
        self._program = Program(model, self._schedule(1))
        self._learner = Learner(self._program, [v.numpy() for v in variables_of(model)])

    def _schedule(self, epochs: int) -> Schedule:
        return Schedule(len(self._y), self.batch_size, epochs)

    @property
    def is_drawn(self) -> bool:
        """Whether there are pictures of it."""
        return self._data.plane is not None

    def turns(self, what: str) -> Turns:
        """The loop with and without ``what``."""
        run = self._store.create_run(Experiment())
        _, lease = self._store.claim("bench", run_id=run.id) or (None, "")
        schedule = self._schedule(100_000_000)  # without end, for all its turns
        with Reporter(self._store, run.id, lease) as reporter:
            controls = steering(self._store, run.id, lease, reporter, schedule)
            beside: list[Callback]
            watched: list[Callback]
            if what == "live":
                beside, watched = [], [*self._live(reporter, run.id, lease), controls]
            else:
                beside = [Record(reporter), controls]
                watched = [self._pictures(reporter) if what == "pictures" else self._health(reporter, run.id)]
            rounds, seconds = ROUNDS[what]
            turns = Turns(watched, seconds, rounds)
            Loop(
                self._learner,
                OnDevice((self._data.x_train, self._y), schedule, shuffle=True, seed=0),
                schedule=schedule,
                pilot=Pilot(self._program, plan=self._plan, settled=True),
                callbacks=[*beside, turns],
            ).run()
        return turns

    def _health(self, reporter: Reporter, run_id: str) -> Callback:
        layers = [layer.id for layer in stack(self._experiment, self._data.facts)]
        return WatchHealth(
            reporter,
            lambda arrays: self._store.write_arrays(run_id, "health", arrays),
            self._data.x_train,
            self._y,
            layers,
        )

    def _live(self, reporter: Reporter, run_id: str, lease: str) -> list[Callback]:
        seconds = Settings().checkpoint_seconds
        return [
            Record(reporter),
            KeepEpochs(self._store, run_id, lease),
            Checkpoint(self._store, run_id, lease, seconds, lambda loop: {"step": loop.step, "epoch": loop.epoch}),
        ]

    def _pictures(self, reporter: Reporter) -> Callback:
        picture = NetworkPicture(self._experiment, self._data)

        def draw() -> dict[str, bytes]:
            with self._learner.seat() as program:
                return picture.draw_both(program.extra("network", picture.forward))

        return Picture(reporter, draw, seconds=0.2)


def measure() -> Mapping[str, Any]:
    """The share of throughput that each costs, for each recipe."""
    found: dict[str, Any] = {what: {} for what in ROUNDS}
    with tempfile.TemporaryDirectory() as home:
        store = open_store(f"sqlite:///{Path(home) / 'bench.db'}", Path(home) / "runs")
        for name in VARIANT:
            try:
                timed = Timed(name, store)
            except DataMissing as missing:
                raise Skipped(str(missing)) from None
            for what in ROUNDS:
                if what == "pictures" and not timed.is_drawn:
                    continue
                note(f"{name}: with and without {what}…")
                found[what][name] = timed.turns(what).as_found(timed.batch_size, BAR)
        store.close()
    return found


if __name__ == "__main__":
    report(measure, __doc__)
