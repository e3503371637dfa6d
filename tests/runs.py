"""Runs put into a store as a worker would write them, without training anything."""

import struct
from contextlib import closing

import numpy as np

from playground import data
from playground.records import Event, Point, Progress, Run, RunStatus
from playground.settings import Settings
from playground.spec import Experiment
from playground.store import Store, open_store


def points_of(epochs: int) -> list[Point]:
    """Falling training losses, and validation losses that rise again."""
    return [
        Point(
            step=10 * epoch,
            epoch=float(epoch),
            kind="epoch",
            values={
                "loss": 1 / epoch,
                "accuracy": 1 - 0.5 / epoch,
                "val_loss": 1 / epoch + 0.01 * epoch**2,
                "val_accuracy": 1 - 0.6 / epoch,
            },
        )
        for epoch in range(1, epochs + 1)
    ]


def surface(rows: int = 20, columns: int = 20) -> bytes:
    """A border that stands upright in the middle of −1…1."""
    scores = np.tile(np.linspace(0, 1, columns, dtype="<f2"), (rows, 1))[..., None]
    return struct.pack("<3H4f", *scores.shape, -1, 1, -1, 1) + scores.tobytes()


def run_in(store: Store, experiment: Experiment, ended: Event | None = None, *, epochs: int = 6, **who: str) -> Run:
    """A run with points and a surface that ended by an event, or that still trains (None)."""
    run = store.create_run(experiment, **who)
    _, lease = store.claim("a test", run_id=run.id)
    progress = Progress(
        step=10 * epochs, total_steps=100, epoch=epochs, examples_per_second=12_345, seconds_left=4.0, phase="training"
    )
    store.report(run.id, lease, progress, points=points_of(epochs), live={"surface": (10 * epochs, surface())})
    if ended is None:
        return store.run(run.id)
    if ended is Event.LOSE:
        return store.lose(run.id, lease, "Its worker is gone.")
    scores = {"test_loss": 0.1, "test_accuracy": 0.9} if ended is Event.FINISH else {}
    if scores:
        store.write_arrays(run.id, "predictions", predictions_of(experiment), lease=lease)
    return store.apply(run.id, lease, ended, scores=scores, facts={"parameters": 337})


def predictions_of(experiment: Experiment) -> dict[str, np.ndarray]:
    """Good predictions with some mistakes among them."""
    facts, rng = data.describe(experiment.data), np.random.default_rng(0)
    arrays = {}
    for split, size in (("validation", facts.validation), ("test", facts.test)):
        if facts.task == "regression":
            y_true = rng.normal(150, 50, size)
            y_score = y_true + rng.normal(0, 20, size)
        elif facts.task == "binary":
            y_true = rng.integers(0, 2, size)
            y_score = np.clip(y_true * 0.6 + rng.uniform(0, 0.5, size), 0, 1)
        else:
            y_true = rng.integers(0, len(facts.class_names), size)
            y_score = rng.dirichlet(np.ones(len(facts.class_names)), size)
            y_score[np.arange(size), y_true] += 0.5
        arrays |= {f"y_true_{split}": y_true, f"y_score_{split}": y_score}
    return arrays


def trained(settings: Settings, experiment: Experiment) -> Run:
    """A run trained to its end in this process, as a worker does it. Needs TensorFlow."""
    from playground.engine.run import run_experiment

    with closing(open_store(settings.database, settings.artifacts)) as store:
        run = store.create_run(experiment)
        claimed = store.claim("a test", run_id=run.id)
        assert claimed is not None
        run_experiment(store, settings, run.id, claimed[1])
        ended = store.run(run.id)
    assert ended.status is RunStatus.DONE, ended.message
    return ended
