"""Small networks on points: the compiled loop against a plain JavaScript loop in Node, in turn in one run.

``python -m benchmarks.small_networks --json``. SGD, squared error, tanh, batches of ten; the JavaScript
(``small_networks.js``) works as TensorFlow Playground's engine does, an object a neuron and an object a link. The bars
are 1.2, 2 and 40 times its examples per second.
"""

import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from benchmarks.report import Skipped, note, report
from benchmarks.throughput import UntilSettled
from playground.engine.training import Loop, OnDevice, Pilot, Schedule, fit

BARS = {"2-4-2-1": 1.2, "2-8-8-8-8-8-8-1": 2.0, "2-64-64-64-1": 40.0}
SECONDS, ROUNDS = 2.0, 3
EXAMPLES, BATCH = 500, 10
SCRIPT = Path(__file__).with_suffix(".js")


class Ours:
    """One network in the compiled loop, its variant chosen in the warm-up."""

    def __init__(self, shape: str) -> None:
        inputs, *units = map(int, shape.split("-"))
        model = keras.Sequential(
            [keras.layers.Input((inputs,)), *(keras.layers.Dense(unit, activation="tanh") for unit in units)]
        )
        model.compile(keras.optimizers.SGD(0.03), "mean_squared_error", jit_compile=False)
        rng = np.random.default_rng(0)
        self._x = rng.uniform(-1, 1, (EXAMPLES, inputs)).astype("float32")
        self._y = np.sign(self._x[:, :1] * self._x[:, 1:2]).astype("float32")
        warm_up = fit(model, self._x, self._y, batch_size=BATCH, epochs=100_000, callbacks=[UntilSettled()])
        self._learner, self.variant = warm_up.learner, warm_up.pilot.variant(warm_up.step)
        self._rate = warm_up.examples_per_second

    def rate(self) -> float:
        """Examples a second over some seconds."""
        schedule = Schedule(EXAMPLES, BATCH, max(1, round(self._rate * SECONDS / EXAMPLES)))
        loop = Loop(
            self._learner,
            OnDevice((self._x, self._y), schedule, shuffle=True, seed=0),
            schedule=schedule,
            pilot=Pilot(self._learner.program, "auto", ((0, self.variant),), settled=True),
        )
        loop.run()
        self._rate = loop.examples_per_second
        return self._rate


def measure() -> dict[str, Any]:
    """Rates and ratios of each network."""
    if not (node := shutil.which("node")):
        raise Skipped("Node is not on this machine")
    found: dict[str, Any] = {}
    for shape, bar in BARS.items():
        note(f"{shape}…")
        ours, pairs = Ours(shape), []
        for _ in range(ROUNDS):
            said = subprocess.run([node, SCRIPT, str(SECONDS), shape], stdout=subprocess.PIPE, check=True).stdout
            pairs.append((ours.rate(), json.loads(said)[shape]))
        ratio = statistics.median(mine / theirs for mine, theirs in pairs)
        found[shape] = {
            "ratio": round(ratio, 2), "met": ratio >= bar, "variant": ours.variant,
            "examples_per_second": [round(statistics.median(rates)) for rates in zip(*pairs, strict=True)],
        }  # fmt: skip
    return found


if __name__ == "__main__":
    report(measure, __doc__)
