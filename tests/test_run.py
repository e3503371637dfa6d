"""A run from claim to end, in this process, against a real store."""

import json
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from playground.data import describe as describe_data
from playground.data import load
from playground.recipes import RECIPES, Recipe
from playground.records import RunStatus
from playground.settings import Settings
from playground.spec import Experiment, changed, parse_experiment, with_settings
from playground.store import Store

pytestmark = pytest.mark.keras

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
MOONS = parse_experiment(
    {
        "data": {"kind": "moons", "samples": 200},
        "model": {"layers": [{"kind": "Dense", "units": 8}, {"kind": "Dropout", "rate": 0.1}]},
        "training": {"epochs": 60, "metrics": ["accuracy", "auc"], "execution": "plain", "batch_size": 16},
    }
)


@pytest.fixture
def store(shared_store: Store) -> Store:
    """A store in a file: what a run writes does not depend on the kind of store."""
    return shared_store


@pytest.fixture
def train(settings: Settings, store: Store):
    """Trains an experiment (or a queued run) as a worker does; gives the run as it ended."""
    from playground.engine.run import run_experiment

    def train(experiment: Experiment | None = None, run_id: str = "", **values: object):
        run_id = run_id or store.create_run(experiment or MOONS).id
        claimed = store.claim("test", run_id=run_id)
        assert claimed is not None
        run_experiment(store, settings.model_copy(update=values), run_id, claimed[1])
        return store.run(run_id)

    return train


def test_a_run_is_trained_judged_and_kept(train, store):
    run = train()
    assert run.status is RunStatus.DONE, run.message
    points, _ = store.points(run.id)
    decisions = [point for point in points if point.kind == "epoch"]
    assert [point.epoch for point in decisions] == list(range(1, 61))
    assert {"loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc"} <= set(decisions[-1].values)
    assert decisions[-1].values["loss"] < 0.5 * decisions[0].values["loss"]

    arrays = store.read_arrays(run.id, "predictions")
    y_true, y_score = arrays["y_true_test"], arrays["y_score_test"]
    np.testing.assert_array_equal(y_true, load(run.experiment.data, 0, ()).y_test)
    assert run.scores["test_accuracy"] == pytest.approx(accuracy_score(y_true, y_score > 0.5), abs=1e-6)
    assert run.scores["test_loss"] == pytest.approx(log_loss(y_true, y_score.astype(float)), rel=1e-4)

    assert run.facts["epochs"] == 60
    assert set(run.facts["seconds"]) >= {"load", "build", "train", "first_metric"}
    assert run.plan == ((0, "plain"),)


def test_kept_epochs_are_spread_over_the_training(train, store, monkeypatch):
    from playground.engine.training import Loop
    from playground.engine.training.callbacks import KeepEpochs

    class AtOnce(KeepEpochs):
        def __init__(self, store: Store, run_id: str, lease: str) -> None:
            super().__init__(store, run_id, lease, seconds=0.0)

        def on_decision(self, loop: Loop) -> None:
            if self._pending is not None:
                self._pending.result()
            super().on_decision(loop)

    monkeypatch.setattr("playground.engine.assembly.KeepEpochs", AtOnce)
    for epochs in (5, 12, 60, 300):
        run = train(changed(MOONS, training=changed(MOONS.training, epochs=epochs)))
        decisions = [point.epoch for point in store.points(run.id)[0] if point.kind == "epoch"]
        kept = store.kept_epochs(run.id)
        assert kept[0] == 0
        assert kept[-3:] == decisions[-3:]
        assert min(epochs + 1, 8) <= len(kept) <= 14
        assert max(np.diff(kept)) <= max(1, epochs / 5)


def test_epochs_that_rush_by_are_kept_ever_more_rarely_and_stepped_ones_as_they_come(store, monkeypatch):
    from types import SimpleNamespace

    from playground.engine.training import callbacks

    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(callbacks, "time", clock)
    keep, at = callbacks.KeepEpochs(store, store.create_run(MOONS).id, "lease"), []
    monkeypatch.setattr(keep, "_keep", lambda loop: (at.append(clock.now), setattr(keep, "_written_at", clock.now)))

    def decide(until: float, every: float) -> list[float]:
        at.clear()
        while clock.now < until:
            clock.now += every
            keep.on_decision(None)
        return list(at)

    assert len(decide(40, 0.25)) == 40
    rushed = decide(400, 0.25)
    assert len(rushed) < 120
    assert max(np.diff(rushed)) <= 11
    keep._cost = 0.5  # seconds on a slow disk: a hundredth of the time
    assert min(np.diff(decide(700, 0.25))) >= 50
    clock.now += 30  # a pause, and then a step every two seconds
    assert len(decide(clock.now + 20, 2.0)) == 10


def test_it_is_told_at_once_that_no_further_step_is_taken(train, store, monkeypatch):
    from playground.engine.probes.health import WatchHealth

    measure_the_end, phases = WatchHealth.on_train_end, []

    def measure(watch, loop):
        run, deadline = store.runs(limit=1)[0], time.monotonic() + 10
        while run.progress.phase == "training" and time.monotonic() < deadline:
            run = store.run(run.id)
        phases.append((run.progress.phase, run.progress.step))
        measure_the_end(watch, loop)

    monkeypatch.setattr(WatchHealth, "on_train_end", measure)
    assert train().status is RunStatus.DONE
    assert phases == [("finishing", 60 * 8)]


def test_the_surface_is_the_network_on_a_grid(train, store):
    run = train()
    step, payload = store.live(run.id, "surface")
    rows, columns, classes, *extent = struct.unpack_from("<3H4f", payload)
    scores = np.frombuffer(payload, "<f2", offset=struct.calcsize("<3H4f")).reshape(rows, columns, classes)
    assert step == run.progress.step
    assert classes == 1
    x = load(run.experiment.data, 0, ()).x_test
    column = ((x[:, 0] - extent[0]) / (extent[1] - extent[0]) * columns).astype(int).clip(0, columns - 1)
    row = ((x[:, 1] - extent[2]) / (extent[3] - extent[2]) * rows).astype(int).clip(0, rows - 1)
    y_score = store.read_arrays(run.id, "predictions")["y_score_test"]
    assert np.abs(scores[row, column, 0] - y_score).mean() < 0.05


def test_the_same_experiment_gives_the_same_bits(train, store, monkeypatch):
    from playground.engine import caches

    experiment = with_settings(MOONS, ["training.execution=auto", "training.epochs=400"])
    first = train(experiment)
    monkeypatch.setattr(caches, "_programs", caches.Recent(4))  # as after a restart
    second = train(experiment)
    assert first.plan == second.plan
    arrays, _ = store.read_checkpoint(first.id)
    again, _ = store.read_checkpoint(second.id)
    assert arrays.keys() == again.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, again[name])


def test_another_seed_gives_other_weights_from_the_same_program(train, store):
    first, second = train(), train(MOONS.model_copy(update={"seed": 1}))
    arrays, _ = store.read_checkpoint(first.id)
    again, _ = store.read_checkpoint(second.id)
    assert np.abs(arrays["v0"] - again["v0"]).max() > 0


def test_stopped_and_resumed_equals_never_stopped(train, store):
    long = with_settings(MOONS, ["training.epochs=4000"])
    run = store.create_run(long)

    def stop_when_it_moves() -> None:
        while store.run(run.id).progress.step < 50:
            time.sleep(0.01)
        store.request(run.id, stop=True)

    watcher = threading.Thread(target=stop_when_it_moves)
    watcher.start()
    stopped = train(run_id=run.id)
    watcher.join()
    assert stopped.status is RunStatus.STOPPED
    assert 0 < stopped.progress.step < stopped.progress.total_steps
    assert "kept" in stopped.message

    epochs = int(stopped.progress.epoch) + 80
    target = with_settings(MOONS, [f"training.epochs={epochs}"])
    store.resume(run.id, target)
    resumed = train(run_id=run.id)
    assert resumed.status is RunStatus.DONE, resumed.message
    whole = train(target)
    arrays, meta = store.read_checkpoint(resumed.id)
    expected, _ = store.read_checkpoint(whole.id)
    assert meta["step"] == epochs * 8
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_pause_holds_and_continue_goes_on(train, store):
    run = store.create_run(with_settings(MOONS, ["training.epochs=3000"]))
    steps: list[int] = []

    def pause_and_continue() -> None:
        while store.run(run.id).progress.step < 20:
            time.sleep(0.01)
        store.request(run.id, pause=True)
        while store.run(run.id).status is not RunStatus.PAUSED:
            time.sleep(0.01)
        time.sleep(1.0)  # the last report before the pause arrives
        steps.append(store.run(run.id).progress.step)
        time.sleep(0.6)
        steps.append(store.run(run.id).progress.step)
        store.request(run.id, pause=False)

    watcher = threading.Thread(target=pause_and_continue)
    watcher.start()
    ended = train(run_id=run.id)
    watcher.join()
    assert steps[0] == steps[1] > 0
    assert ended.status is RunStatus.DONE


def test_a_loss_below_the_threshold_ends_the_run(train):
    run = train(with_settings(MOONS, ["training.stop_at_loss=0.4", "training.epochs=500"]))
    assert run.status is RunStatus.DONE
    assert "below 0.4" in run.message
    assert run.scores["loss"] < 0.4
    assert run.facts["epochs"] < 500


def test_a_nan_says_what_to_lower(train, store):
    changes = ["training.loss=mean_squared_error", "model.output.activation=linear"]
    changes += ["training.optimizer.kind=SGD", "training.optimizer.learning_rate=100"]
    run = train(with_settings(MOONS, changes))
    assert run.status is RunStatus.FAILED
    assert "Lower the learning rate (now 100)" in run.message
    arrays, _ = store.read_checkpoint(run.id)
    assert all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f")


def test_weights_that_start_large_are_told_beside_the_learning_rate(train):
    changes = ["training.loss=mean_squared_error", "model.output.activation=linear", "model.weight_scale=100"]
    changes += ["training.optimizer.kind=SGD", "training.optimizer.learning_rate=1"]
    run = train(with_settings(MOONS, changes))
    assert run.status is RunStatus.FAILED
    assert "Start from smaller weights (now 100 times their usual size)" in run.message
    assert "or lower the learning rate (now 1)" in run.message


def test_weights_that_are_too_large_from_the_start_are_no_fault_of_the_learning_rate(train):
    layers = [{"kind": "Dense", "units": 64, "activation": "relu", "kernel_gain": 1_000.0}] * 8
    changes = [f"model.layers={json.dumps(layers)}", "training.loss=mean_squared_error"]
    run = train(with_settings(MOONS, [*changes, "model.output.activation=linear"]))
    assert run.status is RunStatus.FAILED
    assert "step 1 (epoch 1)" in run.message
    assert "start from smaller weights" in run.message
    assert "learning rate" not in run.message


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        (["model.layers=[]"], "no layers"),
        (["training.loss=huber"], "does not fit"),
        (["training.batch_size=5000"], "larger than"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(train, settings_, said):
    run = train(with_settings(MOONS, settings_))
    assert run.status is RunStatus.FAILED
    assert said in run.message
    assert "\n" not in run.message


def test_a_network_over_the_memory_limit_is_refused_with_its_size(train):
    run = train(with_settings(MOONS, ["model.layers.0.units=60000"]), memory_limit=1_000_000)
    assert run.status is RunStatus.FAILED
    assert "240,001 parameters" in run.message


def test_a_run_whose_lease_is_lost_is_let_go(train, store, settings):
    from playground.engine.run import run_experiment

    run = store.create_run(with_settings(MOONS, ["training.epochs=50000"]))
    _, lease = store.claim("test", run_id=run.id)
    worker = threading.Thread(target=run_experiment, args=(store, settings, run.id, lease))
    worker.start()
    while store.run(run.id).progress.step < 20:
        time.sleep(0.01)
    store.lose(run.id, lease, "The worker was lost.")
    worker.join(timeout=60)
    assert not worker.is_alive()
    assert store.run(run.id).status is RunStatus.INTERRUPTED


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_every_recipe_is_built_and_trained_for_a_step(recipe: Recipe):
    import tensorflow as tf

    from playground.engine.model import build_model, compile_model, describe, encode_targets
    from playground.engine.training import OnDevice, Program, Schedule, build_all

    experiment = recipe.experiment
    if experiment.data.kind in ("mnist", "fashion_mnist"):
        if not REAL_DATA.is_dir():
            pytest.skip("real data (MNIST) is not on this machine")
        experiment = with_settings(experiment, ["data.examples=200", "training.batch_size=20"])
    data = load(experiment.data, experiment.seed, (REAL_DATA,))
    assert not describe(experiment, describe_data(experiment.data), 10**10).error
    model = build_model(experiment, data.facts)
    compile_model(model, experiment, data.facts)
    size = len(data.x_train) if experiment.training.batch_size == "full" else experiment.training.batch_size
    arrays = tuple(map(tf.constant, (data.x_train, encode_targets(data.y_train, experiment, data.facts))))
    build_all(model, arrays)
    schedule = Schedule(len(data.x_train), size, 1)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    program = Program(model, schedule)
    program.run("plain", OnDevice(arrays, schedule, shuffle=True, seed=0).window(0), 0, 1)
    assert np.isfinite(program.metrics()[0]["loss"])
    assert any((np.asarray(now) != then).any() for now, then in zip(model.trainable_variables, before, strict=True))
