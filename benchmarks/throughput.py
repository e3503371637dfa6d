"""Our loop, with live metrics on, against ``model.fit`` of the same Keras models, in turn in one process.

    python benchmarks/throughput.py [--json] [--only NAME …] [--rounds 3]

For each of the twelve models: plain ``fit``; the best of ``fit``'s own options (``steps_per_execution`` and
``jit_compile``); and our loop as the app runs it, recording to a real store with ``execution="auto"``. Each is warmed
up first (compiled, variant chosen), then all three are timed in turn, ``--rounds`` times, so that a machine that
changes its speed changes it for all; the ratio of each round is taken, and the median of the rounds.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from benchmarks.turns import steering
from playground.engine.training import Callback, Loop, OnDevice, Pilot, Schedule, fit
from playground.engine.training.callbacks import Record
from playground.engine.training.reporting import Reporter
from playground.spec import Experiment
from playground.store import open_store

Build = Callable[[], keras.Model]


def dense(inputs: int, *units: int, dropout: float = 0.0, normalize: bool = False, classes: int = 10) -> Build:
    """Dense layers of ``units``, relu, with a softmax or sigmoid on top."""

    def build() -> keras.Model:
        stack: list[Any] = [layers.Input((inputs,))]
        for count in units:
            stack.append(layers.Dense(count, activation="relu"))
            stack += [layers.BatchNormalization()] * normalize + [layers.Dropout(dropout, seed=1)] * (dropout > 0)
        return keras.Sequential([*stack, layers.Dense(classes, activation="softmax")])

    return build


def convolutional(side: int, filters: int, units: int) -> Build:
    """Conv2D 3×3, MaxPooling 2×2, Dense."""
    return lambda: keras.Sequential(
        [
            layers.Input((side, side, 1)),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def recurrent(layer: type[keras.layers.Layer]) -> Build:
    """A recurrent layer of 64 over 28 rows of 28."""
    return lambda: keras.Sequential([layers.Input((28, 28)), layer(64), layers.Dense(10, activation="softmax")])


def embedding() -> keras.Model:
    """100 tokens of 5,000, embedded in 32 and averaged."""
    return keras.Sequential(
        [
            layers.Input((100,), dtype="int32"),
            layers.Embedding(5000, 32),
            layers.GlobalAveragePooling1D(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def attention() -> keras.Model:
    """One transformer block over 28 rows of 28."""
    inputs = layers.Input((28, 28))
    x = layers.Dense(32)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 8)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(32)(layers.Dense(64, activation="relu")(x)))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling1D()(x)))


# name: model, shape of one example, batch size, examples an epoch
MODELS: dict[str, tuple[Build, tuple[int, ...], int, int]] = {
    "dense 2-4-2": (dense(2, 4, classes=2), (2,), 10, 2500),
    "dense 2-8×6": (dense(2, *[8] * 6, classes=2), (2,), 10, 2500),
    "dense 784-128": (dense(784, 128), (784,), 32, 12_800),
    "dense 784-128 dropout": (dense(784, 128, dropout=0.2), (784,), 32, 12_800),
    "dense 784-128 batchnorm": (dense(784, 128, normalize=True), (784,), 32, 12_800),
    "dense 784-512×3": (dense(784, 512, 512, 512), (784,), 64, 12_800),
    "conv 8×8": (convolutional(8, 16, 32), (8, 8, 1), 32, 6400),
    "conv 28×28": (convolutional(28, 32, 128), (28, 28, 1), 32, 6400),
    "lstm 64": (recurrent(layers.LSTM), (28, 28), 32, 6400),
    "gru 64": (recurrent(layers.GRU), (28, 28), 32, 6400),
    "embedding": (embedding, (100,), 32, 12_800),
    "attention": (attention, (28, 28), 32, 6400),
}

FIT_OPTIONS: list[dict[str, Any]] = [
    {"steps_per_execution": steps, "jit_compile": jit} for steps in (32, 128) for jit in (False, True)
]


class Contestant:
    """One way to train a model, for a number of epochs at a time; ``rate`` of the last time in examples a second."""

    def __init__(self, name: str, train: Callable[[int], None], examples: int) -> None:
        self.name, self._train, self._examples, self.rate = name, train, examples, 0.0
        self.plan: Any = None

    def run(self, seconds: float) -> float:
        """Train for about ``seconds``, as known from the last time; the rate."""
        epochs = max(1, round(self.rate * seconds / self._examples))
        began = time.perf_counter()
        self._train(epochs)
        self.rate = epochs * self._examples / (time.perf_counter() - began)
        return self.rate


def compiled(build: Build, **options: Any) -> keras.Model:
    """The model, with Adam, sparse categorical cross-entropy and accuracy."""
    keras.utils.set_random_seed(0)
    model = build()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def with_fit(name: str, build: Build, x: np.ndarray, y: np.ndarray, batch: int, **options: Any) -> Contestant:
    """``model.fit`` with some of its own options."""
    model = compiled(build, **({"jit_compile": False} | options))
    return Contestant(name, lambda epochs: model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0), len(y))


def with_loop(build: Build, x: np.ndarray, y: np.ndarray, batch: int, home: Path) -> Contestant:
    """Our loop, recording to a store, its program compiled once and its variant chosen in the warm-up."""
    store = open_store(f"sqlite:///{home / 'bench.db'}", home / "runs")
    warm_up = fit(compiled(build), x, y, batch_size=batch, epochs=100_000, callbacks=[UntilSettled()])
    program = warm_up.learner.program
    settled = [(0, warm_up.pilot.variant(warm_up.step))]

    def train(epochs: int) -> None:
        run_id = store.create_run(Experiment()).id
        _, lease = store.claim("bench", run_id=run_id) or (None, "")
        schedule = Schedule(len(y), batch, epochs)
        with Reporter(store, run_id, lease) as reporter:
            Loop(
                warm_up.learner,
                OnDevice((x, y), schedule, shuffle=True, seed=0),
                schedule=schedule,
                pilot=Pilot(program, "auto", tuple(settled), settled=True),
                callbacks=[Record(reporter), steering(store, run_id, lease, reporter, schedule)],
            ).run()

    contestant = Contestant("loop", train, len(y))
    contestant.plan = {"plan": warm_up.pilot.plan, "runs": settled[0][1], "note": warm_up.pilot.note}
    return contestant


class UntilSettled(Callback):
    """Ends the warm-up once the pilot has chosen, after 2.5 s at least and 90 s at most."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def on_stretch_end(self, loop: Loop) -> None:
        seconds = time.perf_counter() - self._began
        loop.stop_training |= (seconds > 2.5 and not loop.pilot.exploring) or seconds > 90


def measure(name: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Rates and ratios of one model."""
    build, shape, batch, examples = MODELS[name]
    rng = np.random.default_rng(0)
    tokens = name == "embedding"
    x = rng.integers(0, 5000, (examples, *shape)).astype("int32") if tokens else rng.normal(size=(examples, *shape))
    x, y = x if tokens else x.astype("float32"), rng.integers(0, 2 if shape == (2,) else 10, examples).astype("int32")
    with tempfile.TemporaryDirectory() as home:
        plain = with_fit("fit", build, x, y, batch)
        tuned = [with_fit(str(options), build, x, y, batch, **options) for options in FIT_OPTIONS]
        ours = with_loop(build, x, y, batch, Path(home))
        for contestant in (plain, ours, *tuned):
            for _ in range(2):  # the first time compiles
                contestant.run(0.5)
        best = max(tuned, key=lambda contestant: contestant.rate)
        rates: dict[str, list[float]] = {"fit": [], "best_fit": [], "loop": []}
        for _ in range(rounds):
            for key, contestant in (("fit", plain), ("best_fit", best), ("loop", ours)):
                rates[key].append(contestant.run(seconds))
    keras.backend.clear_session()
    ratio = [ours / fit for ours, fit in zip(rates["loop"], rates["fit"], strict=True)]
    ratio_best = [ours / max(pair) for ours, *pair in zip(rates["loop"], rates["best_fit"], rates["fit"], strict=True)]
    return {
        "ratio_to_fit": round(statistics.median(ratio), 3),
        "ratio_to_best_fit": round(statistics.median(ratio_best), 3),
        "plan": ours.plan,
        "best_fit": best.name,
        "examples_per_second": {key: round(statistics.median(values)) for key, values in rates.items()},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="*", default=list(MODELS), choices=list(MODELS), help="some of the models")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is timed")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each timing")
    arguments = parser.parse_args()
    results = {}
    for name in arguments.only:
        results[name] = result = measure(name, arguments.rounds, arguments.seconds)
        rates = result["examples_per_second"]
        print(
            f"{name:26} fit {rates['fit']:>9,}  best fit {rates['best_fit']:>9,}  loop {rates['loop']:>9,}  "
            f"× fit {result['ratio_to_fit']:6.2f}  × best {result['ratio_to_best_fit']:5.2f}  {result['plan']['runs']}",
            file=sys.stderr,
        )

    def geometric_mean(key: str) -> float:
        return round(math.exp(statistics.mean(math.log(result[key]) for result in results.values())), 3)

    summary = {
        "models": results,
        "geometric_mean": {key: geometric_mean(key) for key in ("ratio_to_fit", "ratio_to_best_fit")},
        "lowest_ratio_to_fit": min(result["ratio_to_fit"] for result in results.values()),
    }
    means = summary["geometric_mean"]
    text = (
        f"geometric mean × fit {means['ratio_to_fit']}, × best fit {means['ratio_to_best_fit']}; "
        f"lowest × fit {summary['lowest_ratio_to_fit']}"
    )
    print(json.dumps(summary) if arguments.json else text)


if __name__ == "__main__":
    main()
