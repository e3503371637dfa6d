"""Stop rules and the best epoch's weights: decisions against Keras's, and what survives an interruption."""

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import pytest

from playground.data import load
from playground.displays import words
from playground.engine.model.restore import restore
from playground.engine.run import run_experiment
from playground.engine.training import Callback, Loop, stopping
from playground.engine.training.stopping import Best, StopAtTime, StopEarly, stop_rules
from playground.records import Point, Run, RunStatus
from playground.settings import Settings
from playground.spec import Experiment, Training, parse_experiment, with_settings
from playground.spec import stopping as stopping_spec
from playground.spec.saved import Saved
from playground.spec.stopping import EarlyStopping, StopAtScore, TimeLimit
from playground.store import Store

pytestmark = pytest.mark.keras


class FakeLoop:
    """A training of which only the scores are known."""

    def __init__(self) -> None:
        self.epoch, self.history, self.stop_training, self.failure = 0.0, list[Point](), False, ""

    def decide(self, rules: Iterable[Callback], epoch: float, **values: float) -> bool:
        """One decision; whether the training goes on."""
        self.epoch = epoch
        self.history.append(Point(int(10 * epoch), epoch, "epoch", values))
        for rule in rules:
            rule.on_decision(cast(Loop, self))
        return not self.stop_training


def series(seed: int) -> list[float]:
    """Losses that fall, wander and rise."""
    rng = np.random.default_rng(seed)
    return (2 / np.arange(1, 41) + np.linspace(0, 0.6, 40) + rng.normal(0, 0.08, 40)).round(2).tolist()


def keras_stops(rule: EarlyStopping, values: list[float]) -> tuple[int, int]:
    """After how many epochs Keras stops, and which of them it calls the best (from 1)."""
    callback = keras.callbacks.EarlyStopping(
        **rule.model_dump(exclude={"kind"}), mode="max" if rule.monitor == "val_accuracy" else "min"
    )
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {rule.monitor: value})
        if model.stop_training:
            break
    return epoch + 1, callback.best_epoch + 1


def ours_stops(rule: EarlyStopping, values: list[float]) -> tuple[int, int]:
    loop, stopper, best = FakeLoop(), StopEarly(rule), Best.of(rule)
    for epoch, value in enumerate(values, 1):
        best.improves(value, epoch)
        if not loop.decide([stopper], epoch, **{rule.monitor: value}):
            break
    return int(loop.epoch), int(best.epoch)


SETTINGS = list(itertools.product((0, 1, 4, 7), (0.0, 0.0513, 0.3013), (0, 5)))  # no ties to round


@pytest.mark.parametrize(("patience", "min_delta", "start"), SETTINGS)
@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_stops_where_keras_does_and_calls_the_same_epoch_the_best(monitor, patience, min_delta, start):
    rule = EarlyStopping(monitor=monitor, patience=patience, min_delta=min_delta, start_from_epoch=start)
    for seed in range(5):
        values = series(seed) if monitor == "val_loss" else [1 - value / 4 for value in series(seed)]
        assert ours_stops(rule, values) == keras_stops(rule, values)


def test_what_is_not_a_number_is_never_the_best():
    best = Best("val_loss")
    assert [best.improves(value, epoch) for epoch, value in enumerate([np.nan, 2.0, np.inf, 1.0, np.nan], 1)] == [
        False, True, False, True, False,
    ]  # fmt: skip
    assert (best.value, best.epoch) == (1.0, 4)


def test_patience_counts_epochs_also_where_decisions_are_rarer():
    loop, rule = FakeLoop(), StopEarly(EarlyStopping(patience=30))
    for epoch in (20, 40, 60):
        loop.decide([rule], epoch, val_loss=1.0)
    assert loop.epoch == 60
    assert rule.reason == (
        "Stopped after epoch 60: the validation loss 1 has not become better than 1 (epoch 20) for 40 epochs."
    )


def test_a_rule_that_was_interrupted_goes_on_as_if_it_had_not_been():
    rule, values = EarlyStopping(patience=4, min_delta=0.05), series(3)
    expected = ours_stops(rule, values)[0]
    for cut in range(1, expected):
        first, second, loop = StopEarly(rule), StopEarly(rule), FakeLoop()
        for epoch, value in enumerate(values[:cut], 1):
            loop.decide([first], epoch, val_loss=value)
        second.restore(first.state())
        for epoch, value in enumerate(values[cut:], cut + 1):
            if not loop.decide([second], epoch, val_loss=value):
                break
        assert loop.epoch == expected


def test_a_training_that_goes_on_after_its_end_has_patience_anew():
    loop, first, second = FakeLoop(), StopEarly(EarlyStopping(patience=2)), StopEarly(EarlyStopping(patience=2))
    for epoch in (1, 2, 3):
        loop.decide([first], epoch, val_loss=float(epoch))
    assert loop.stop_training
    second.restore(first.state())
    loop.stop_training = False
    assert loop.decide([second], 4, val_loss=4.0)
    assert not loop.decide([second], 5, val_loss=5.0)
    assert "better than 1 (epoch 1)" in second.reason


def test_after_a_jump_back_what_came_later_is_forgotten():
    loop, rule = FakeLoop(), StopEarly(EarlyStopping(patience=2))
    for epoch, value in ((1, 3.0), (2, 2.0), (3, 1.0), (4, 1.5)):
        loop.decide([rule], epoch, val_loss=value)
    loop.epoch, loop.history = 2.0, loop.history[:2]
    rule.on_jump(cast(Loop, loop))
    assert loop.decide([rule], 3, val_loss=1.9)  # worse than what was forgotten
    assert rule.state()["wait"] == 0


@pytest.mark.parametrize(
    ("monitor", "threshold", "values", "epochs", "said"),
    [
        ("loss", 0.4, [0.9, 0.4, 0.39], 3, "the loss 0.39 is below 0.4."),
        ("val_accuracy", 0.9, [0.8, 0.9, 0.95], 2, "the validation accuracy 0.9 has reached 0.9."),
        ("val_mean_absolute_error", 2, [3, np.nan, 1], 3, "the validation mean absolute error 1 is below 2."),
    ],
)
def test_a_score_that_is_good_enough_ends_the_training(monitor, threshold, values, epochs, said):
    loop, (rule,) = FakeLoop(), stop_rules(Training(stop_rules=(StopAtScore(monitor=monitor, threshold=threshold),)))
    for epoch, value in enumerate(values, 1):
        if not loop.decide([rule], epoch, **{monitor: value}):
            break
    assert rule.reason == f"Stopped after epoch {epochs}: {said}"


def test_the_threshold_of_old_experiments_is_one_of_the_loss():
    loop, (rule,) = FakeLoop(), stop_rules(Training(stop_at_loss=0.5))
    assert not loop.decide([rule], 2, loss=0.49, val_loss=3.0)
    assert rule.reason == "Stopped after epoch 2: the loss 0.49 is below 0.5."


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("playground.engine.training.stopping.time.perf_counter", lambda: now[0])
    return now


def test_the_time_limit_counts_training_and_no_pauses(clock):
    loop, rule = FakeLoop(), StopAtTime(TimeLimit(minutes=1))
    tell: Any = lambda moment: getattr(rule, moment)(loop)  # noqa: E731
    tell("on_train_begin")
    clock[0] += 40
    tell("on_stretch_end")
    tell("on_pause")
    clock[0] += 500
    tell("on_stretch_end")
    assert not loop.stop_training
    resumed = StopAtTime(TimeLimit(minutes=1))
    resumed.restore(rule.state())
    clock[0] += 900
    resumed.on_train_begin(cast(Loop, loop))
    loop.epoch = 3.25
    clock[0] += 21
    resumed.on_stretch_end(cast(Loop, loop))
    assert loop.stop_training
    assert resumed.reason == "Stopped after epoch 3.2: the time limit of 1 minute is over."
    assert resumed.state() == {"spent": 0.0}


DIGITS = parse_experiment(
    {
        "data": {"kind": "digits", "examples": 150},
        "model": {"layers": [{"kind": "Flatten"}, {"kind": "Dense", "units": 64}]},
        "training": {
            "loss": "sparse_categorical_crossentropy",
            "optimizer": {"kind": "Adam", "learning_rate": 0.02},
            "metrics": ["accuracy"],
            "epochs": 40,
            "execution": "plain",
            "stop_rules": [{"kind": "early_stopping", "patience": 5}],
        },
    }
)


class TestRun:
    """Of an experiment that over-fits, in this process, against a real store."""

    @pytest.fixture
    def store(self, shared_store: Store) -> Store:
        return shared_store

    @pytest.fixture
    def train(self, settings: Settings, store: Store) -> Callable[..., Run]:
        def train(experiment: Experiment = DIGITS, run_id: str = "") -> Run:
            run_id = run_id or store.create_run(experiment).id
            claimed = store.claim("test", run_id=run_id)
            assert claimed is not None
            run_experiment(store, settings, run_id, claimed[1])
            return store.run(run_id)

        return train

    @pytest.mark.parametrize("care", ["training.shuffle=true", "training.optimizer.use_ema=true"])
    def test_it_ends_with_the_weights_of_its_best_epoch(self, train, store, care):
        run = train(with_settings(DIGITS, [care, "training.optimizer.ema_momentum=0.7"]))
        assert run.status is RunStatus.DONE, run.message
        decisions = [point for point in store.points(run.id)[0] if point.kind == "epoch"]
        losses = [point.values["val_loss"] for point in decisions]
        best = int(np.argmin(losses)) + 1
        assert len(losses) == best + 5 < 40
        assert f"for 5 epochs. The weights of epoch {best} (validation loss" in run.message
        assert run.facts["best"] == {
            "epoch": best, "monitor": "val_loss", "value": losses[best - 1], "restored": True
        }  # fmt: skip
        assert run.scores["val_loss"] == pytest.approx(min(losses), rel=1e-5)
        assert run.scores["loss"] == pytest.approx(decisions[best - 1].values["loss"])
        # Those who look into it find the same weights: kept of that epoch, and as its newest.
        assert best in store.kept_epochs(run.id)
        newest, kept = restore(store, Saved(run=run.id)), restore(store, Saved(run=run.id, epoch=best))
        for a, b in zip(newest.model.get_weights(), kept.model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        y_score = store.read_arrays(run.id, "predictions")["y_score_test"]
        np.testing.assert_allclose(newest.scores(load(DIGITS.data, 0, ()).x_test), y_score, rtol=1e-4, atol=1e-6)

    def test_without_restoring_the_last_weights_stay_and_the_best_are_kept(self, train, store):
        run = train(with_settings(DIGITS, ["training.stop_rules.0.restore_best_weights=false"]))
        assert "restored" not in run.message
        assert run.facts["best"]["epoch"] in store.kept_epochs(run.id)
        assert run.scores["val_loss"] > run.facts["best"]["value"]

    def test_interrupted_before_its_end_it_ends_as_if_it_had_not_been(self, train, store):
        """Cut after every second epoch by a training of fewer epochs; each time a new process would go on."""
        whole = train()
        last = round(whole.progress.epoch)
        experiment = with_settings(DIGITS, ["training.stop_rules.0.restore_best_weights=false"])
        run = store.create_run(with_settings(experiment, ["training.epochs=4"]))
        for epochs in range(6, 42, 4):
            ended = train(run_id=run.id)
            if "better" in ended.message:
                break
            store.resume(run.id, with_settings(experiment, [f"training.epochs={epochs}"]))
        assert round(ended.progress.epoch) == last
        assert ended.facts["best"] == {**whole.facts["best"], "restored": False}
        best = ended.facts["best"]["epoch"]
        for a, b in zip(
            restore(store, Saved(run=run.id, epoch=best)).model.get_weights(),
            restore(store, Saved(run=whole.id)).model.get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)

    def test_a_time_limit_ends_it_as_done(self, train):
        run = train(
            with_settings(
                DIGITS, ["training.epochs=100000", 'training.stop_rules=[{"kind": "time_limit", "minutes": 0.01}]']
            )
        )
        assert run.status is RunStatus.DONE
        assert "the time limit of 0.01 minutes is over." in run.message

    def test_classes_that_count_more_are_missed_less(self, train, store):
        def missed(run: Run) -> int:
            arrays = store.read_arrays(run.id, "predictions")
            eights = arrays["y_true_test"] == 8
            return int((arrays["y_score_test"][eights].argmax(axis=1) != 8).sum())

        plain = with_settings(DIGITS, ["training.stop_rules=[]", "training.epochs=3"])
        weighted = with_settings(plain, ["training.class_weight=[1, 1, 1, 1, 1, 1, 1, 1, 50, 1]"])
        assert missed(train(weighted)) < missed(train(plain))
        run = train(with_settings(plain, ['training.class_weight="balanced"']))
        counts = np.bincount(load(DIGITS.data, 0, ()).y_train, minlength=10)
        np.testing.assert_allclose(run.facts["class_weights"], counts.sum() / (10 * counts))


def test_the_rule_of_the_contributing_guide_works_as_it_stands_there():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    asked, at_work = re.search(r"## Add a stop rule.*?```python\n(.*?)```\n```python\n(.*?)```", text, re.S).groups()
    room = dict(vars(stopping_spec))
    exec(asked, room)
    room = {**vars(stopping), "StopWhenFlat": room["StopWhenFlat"]}
    exec(at_work, room)
    loop, rule = FakeLoop(), room["StopFlat"](room["StopWhenFlat"](change=0.01))
    for epoch, value in enumerate([1.0, 0.5, 0.3, 0.295, 0.1], 1):
        if not loop.decide([rule], epoch, val_loss=value):
            break
    assert rule.reason == "Stopped after epoch 4: the validation loss has become flat at 0.295."


def test_the_best_epoch_is_named_where_epochs_are_chosen():
    assert words.epochs_label("After epoch", [0, 12, 24], 24) == "After epoch (the best: 24)"
    assert words.epochs_label("After epoch", [0, 12], 24) == "After epoch"
    assert words.epochs_label("After epoch", [0, 12], None) == "After epoch"
