"""The long checks: scores of MNIST recipes, fine-tuning, speed, kills, repeated runs, a queue that outlives the app.

``python -m benchmarks.bars [NAME …] [--json]``; exit code 1 when a bar is missed. About an hour on two cores.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.report import Skipped, note
from benchmarks.runs import ENDLESS, points, store_of, wait_until
from playground.data import mnist
from playground.recipes import recipe
from playground.records import RunStatus
from playground.settings import Settings
from playground.spec import Experiment, changed, with_settings
from playground.spec.data import Mnist
from tests.browser.app import ROOT, environment_for, running_app

MNIST_BARS = {"mnist-mlp-128": 0.974, "mnist-mlp-64-64": 0.970, "mnist-mlp-64-32": 0.963, "mnist-cnn": 0.983}
"""Lowest median of the test accuracies of seeds 0, 1, 2."""

FINETUNED_BAR = 0.985
"""Test accuracy after five epochs more of ``mnist-cnn``; they must not lose what the first five had either."""
TUNING_SEEDS = range(3)

SPEED_BARS = (5.0, 2.0, 1.2)
"""Geometric means of the ratios to ``fit`` and to the best ``fit``, and the lowest ratio to ``fit``."""

INTERRUPTED_WITHIN = 15.0
"""Seconds from a worker's death to the run that says so."""


def scores() -> dict[str, Any]:
    """Test accuracy of the MNIST recipes from the terminal, median of three seeds."""
    result: dict[str, Any] = {"met": True}
    with tempfile.TemporaryDirectory() as home:
        environment = environment_for(Path(home))
        if not mnist.find(Mnist, Settings().data or (Path(environment["PLAYGROUND_DATA"]),)):
            raise Skipped("MNIST is not on this machine; put mnist.npz into a folder of PLAYGROUND_DATA")
        for name, bar in MNIST_BARS.items():
            accuracies = []
            for seed in range(3):
                note(f"{name}, seed {seed}…")
                run = train_in_terminal(environment, "--recipe", name, "--set", f"seed={seed}")
                accuracies.append(run["metrics"]["test_accuracy"])
            median = statistics.median(accuracies)
            result[name] = {"median": median, "bar": bar, "seeds": accuracies}
            result["met"] = result["met"] and median >= bar
    return result


def train_in_terminal(environment: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """What ``python -m playground train … --json`` answers."""
    command = [sys.executable, "-m", "playground", "train", *arguments, "--json"]
    answer = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    summary: dict[str, Any] = json.loads(answer.stdout)
    return summary


def tuning() -> dict[str, Any]:
    """Fine-tuning against training from new weights with the same data, epochs, batches and rate; three seeds.

    Each seed trains a base of its own. The control is the same experiment without a start.
    """
    with tempfile.TemporaryDirectory() as home:
        environment = environment_for(Path(home))
        if not mnist.find(Mnist, Settings().data or (Path(environment["PLAYGROUND_DATA"]),)):
            raise Skipped("MNIST is not on this machine; put mnist.npz into a folder of PLAYGROUND_DATA")
        note("mnist-cnn-finetune…")
        run = train_in_terminal(environment, "--recipe", "mnist-cnn-finetune")
        first, second = (one["metrics"]["test_accuracy"] for one in (run["base"], run))
        result: dict[str, Any] = {
            "met": second >= max(first, FINETUNED_BAR),
            "mnist-cnn-finetune": {"first": first, "second": second, "bar": FINETUNED_BAR},
        }
        for name in ("digits-0-4-to-5-9", "mnist-to-fashion"):
            pairs = [_tuned_and_control(environment, Path(home), name, seed) for seed in TUNING_SEEDS]
            gains = [tuned - control for tuned, control in pairs]
            result[name] = {"tuned_and_from_scratch": pairs, "median_gain": round(statistics.median(gains), 4)}
            result["met"] = result["met"] and min(gains) > 0
    return result


def _tuned_and_control(environment: Mapping[str, str], folder: Path, name: str, seed: int) -> tuple[float, float]:
    """Test accuracies of a recipe that fine-tunes and of the same from new weights."""
    note(f"{name}, seed {seed}…")
    control = changed(recipe(name).experiment, start=None, seed=seed)
    file = folder / f"{name}-{seed}.json"
    file.write_text(control.dumps())
    tuned = train_in_terminal(environment, "--recipe", name, "--set", f"seed={seed}")
    scratch = train_in_terminal(environment, str(file))
    return tuned["metrics"]["test_accuracy"], scratch["metrics"]["test_accuracy"]


def killed_worker() -> dict[str, Any]:
    """``kill -9`` of the training process: the run is interrupted soon, keeps its curve, and goes on when resumed."""
    with tempfile.TemporaryDirectory() as home, running_app(Path(home), PLAYGROUND_CHECKPOINT_SECONDS="2") as app:
        store = store_of(app)
        run = store.create_run(changed(ENDLESS, training=changed(ENDLESS.training, execution="plain")))
        wait_until(lambda: store.read_checkpoint(run.id) is not None, 120, "the first checkpoint")
        os.kill(_trainer(app.home), signal.SIGKILL)
        took = wait_until(lambda: store.run(run.id).status is RunStatus.INTERRUPTED, 60, "the run to be interrupted")
        before = points(store, run.id)
        checkpoint = store.read_checkpoint(run.id)
        epoch = store.run(run.id).progress.epoch
        store.resume(run.id)
        wait_until(lambda: len(points(store, run.id)) > len(before) + 3, 120, "the resumed run to move")
        after = points(store, run.id)
        store.request(run.id, stop=True)
        wait_until(lambda: store.run(run.id).status.is_over, 60, "the resumed run to stop")
    kept = [point.step for point in after[: len(before)]] == [point.step for point in before]
    return {
        "met": took <= INTERRUPTED_WITHIN and kept and checkpoint is not None and epoch > 0,
        "seconds": round(took, 1),
        "interrupted_at_epoch": epoch,
        "curve_kept": kept,
        "resumed_at_step": after[len(before)].step if len(after) > len(before) else None,
    }


def _trainer(home: Path) -> int:
    """The process that computes: below the engine of ``home``, the one that has used most time of the processor."""
    family = [
        process for process in psutil.process_iter(["pid", "environ"])
        if (process.info["environ"] or {}).get("PLAYGROUND_HOME") == str(home)
    ]  # fmt: skip
    pid: int = max(family, key=lambda process: sum(process.cpu_times()[:2])).pid
    return pid


def repeated() -> dict[str, Any]:
    """The same experiment twice: in one store with the engine restarted between, and plain in two empty stores."""
    experiment = with_settings(recipe("digits-cnn").experiment, ["training.epochs=5"])
    with tempfile.TemporaryDirectory() as home:
        one_store = [_train_in_app(Path(home), experiment) for _ in range(2)]
    plain = changed(experiment, training=changed(experiment.training, execution="plain"))
    empty_stores = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as home:
            empty_stores.append(_train_in_app(Path(home), plain))
    result = {"engine_restarted": _same(*one_store), "plain_in_empty_stores": _same(*empty_stores)}
    return {"met": all(result.values()), **result}


def _train_in_app(home: Path, experiment: Experiment) -> dict[str, np.ndarray]:
    """The last weights of a run in an app that is started and ended for it."""
    with running_app(home) as app:
        store = store_of(app)
        run = store.create_run(experiment)
        wait_until(lambda: store.run(run.id).status.is_over, 300, "a run to end")
        checkpoint = store.read_checkpoint(run.id)
    if checkpoint is None:
        raise RuntimeError(f"Run {run.id} left no weights: {store.run(run.id).message}")
    return checkpoint[0]


def _same(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> bool:
    """Whether two sets of arrays are equal to the last bit."""
    return first.keys() == second.keys() and all(first[name].tobytes() == second[name].tobytes() for name in first)


def queue() -> dict[str, Any]:
    """Five runs are queued and the app is killed: the engine trains all of them, in order, once."""
    experiment = with_settings(recipe("digits-cnn").experiment, ["training.epochs=3"])
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app:
        store = store_of(app)
        runs = [store.create_run(changed(experiment, seed=seed)) for seed in range(5)]
        wait_until(lambda: store.run(runs[0].id).status is RunStatus.RUNNING, 90, "the first run to start")
        app.process.kill()
        wait_until(lambda: all(store.run(run.id).status.is_over for run in runs), 600, "five runs to end")
        ended = [store.run(run.id) for run in runs]
    starts = [run.started or 0.0 for run in ended]
    result = {
        "done": sum(run.status is RunStatus.DONE for run in ended),
        "in_order": starts == sorted(starts),
        "attempts": [run.attempt for run in ended],
    }
    return {"met": result["done"] == 5 and result["in_order"] and result["attempts"] == [1] * 5, **result}


def speed() -> dict[str, Any]:
    """``benchmarks/throughput.py`` against its bars: ratios to Keras's own ``fit`` over twelve models."""
    command = [sys.executable, "-m", "benchmarks.throughput", "--json"]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    models = json.loads(answer.stdout)["models"].values()
    plain = [model["ratio_to_fit"] for model in models]
    best = [model["ratio_to_best_fit"] for model in models]
    result = {
        "geometric_mean_to_fit": round(statistics.geometric_mean(plain), 2),
        "geometric_mean_to_best_fit": round(statistics.geometric_mean(best), 2),
        "lowest_to_fit": min(plain),
    }
    bars = zip(result.values(), SPEED_BARS, strict=True)
    return {"met": all(value >= bar for value, bar in bars), **result}


CHECKS: dict[str, Callable[[], Mapping[str, Any]]] = {
    "scores": scores,
    "tuning": tuning,
    "speed": speed,
    "killed_worker": killed_worker,
    "repeated": repeated,
    "queue": queue,
}


def main() -> int:
    """Run the checks that are named, else all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CHECKS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results: dict[str, Mapping[str, Any]] = {}
    for name in options.names or CHECKS:
        note(f"── {name}")
        try:
            results[name] = CHECKS[name]()
        except Skipped as reason:
            results[name] = {"skipped": str(reason)}
        except (TimeoutError, RuntimeError, subprocess.CalledProcessError) as error:
            results[name] = {"met": False, "error": str(error)}
        if not options.json:
            print(f"{name:<16} {json.dumps(results[name])}", flush=True)
    if options.json:
        print(json.dumps(results))
    return int(not all(result.get("met", True) for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
