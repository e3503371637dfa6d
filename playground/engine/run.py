"""One run from claim to end: load, build, train, judge; the store hears of every step."""

import logging
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import tensorflow as tf

from playground.data import Dataset
from playground.engine import caches
from playground.engine.assembly import Assembly
from playground.engine.machine import device_name, versions
from playground.engine.model import describe, encode_targets
from playground.engine.training import (
    Callback,
    Loop,
    batches_of,
)
from playground.engine.training.reporting import Reporter
from playground.engine.tuning import Tuning
from playground.errors import LeaseLost, PlaygroundError, SpecError
from playground.records import Event, Run
from playground.settings import Settings
from playground.spec import Experiment, check
from playground.store import Store

logger = logging.getLogger(__name__)

LARGE_GAIN = 2.0
"""Weights this many times as large as their initializer's make outputs and gradients grow from layer to layer."""


@dataclass
class Stopwatch:
    """Seconds that the parts of a run took."""

    began: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def lap(self, name: str) -> None:
        """Write down the time since the last lap."""
        now = time.perf_counter()
        self.seconds[name], self.began = round(now - self.began, 4), now


class FirstMetric(Callback):
    """Notes when the first number of a run was known."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.seconds: float | None = None

    def on_stretch_end(self, loop: Loop) -> None:
        if self.seconds is None:
            self.seconds = round(time.perf_counter() - self.began, 4)


def run_experiment(store: Store, settings: Settings, run_id: str, lease: str) -> None:
    """Do a run that was claimed under ``lease``, and write how it ended. Never raises for what a run can cause."""
    try:
        run = store.run(run_id)
        with Reporter(store, run_id, lease) as reporter:
            ended = _Running(store, settings, run, lease, reporter).go()
        if not reporter.lost:
            store.apply(run_id, lease, ended.event, message=ended.message, scores=ended.scores, facts=ended.facts)
    except LeaseLost:
        logger.warning("run %s is held by somebody else now", run_id)
    except PlaygroundError as error:
        store.apply(run_id, lease, Event.FAIL, message=str(error))
    except tf.errors.ResourceExhaustedError:
        store.apply(
            run_id, lease, Event.FAIL, message="The memory of the device was not enough. Choose a smaller batch size "
            "or a smaller network.",
        )  # fmt: skip
    except Exception:
        # Whatever else a run runs into ends the run, not the worker; the log has the traceback under this code.
        code = secrets.token_hex(3)
        logger.exception("run %s failed [%s]", run_id, code)
        store.apply(
            run_id, lease, Event.FAIL, message=f"Something went wrong inside. Try again; if it stays, report code "
            f"{code} with the engine's log.",
        )  # fmt: skip


@dataclass(frozen=True)
class _End:
    event: Event
    message: str = ""
    scores: dict[str, float] | None = None
    facts: dict[str, object] = field(default_factory=dict)


class _Running:
    """The parts of one run, in their order."""

    def __init__(self, store: Store, settings: Settings, run: Run, lease: str, reporter: Reporter) -> None:
        self.store, self.settings, self.run, self.lease, self.reporter = store, settings, run, lease, reporter
        self.experiment: Experiment = run.experiment
        self.watch = Stopwatch()
        self.first = FirstMetric()

    def go(self) -> _End:
        self._phase("loading")
        data = caches.dataset(self.experiment.data, self.experiment.seed, self.settings)
        self._refuse_what_cannot_be_trained(data)
        self.watch.lap("load")

        self._phase("building")
        start = self.experiment.start
        self.tuning = Tuning(self.store, self.settings, self.run, start, data.facts) if start else None
        parts = Assembly(self.store, self.settings, self.run, self.lease, self.reporter, data, self.tuning)
        loop = parts.loop
        loop.callbacks = [self.first, *loop.callbacks]
        self.watch.lap("build")
        if self.tuning and self.tuning.before is None:
            self._phase("judging")
            self.tuning.before = self._judge(parts, "predictions_before")
            self.watch.lap("judge_before")

        loop.run()
        self.watch.lap("train")
        if self.reporter.lost:
            raise LeaseLost(self.run.id)
        if parts.steer.gave_way:
            loop.learner.leave()
            return _End(Event.YIELD)

        self._phase("judging")
        scores = {} if parts.is_search else self._scores(parts)
        compared = self.tuning.compare(loop.learner) if self.tuning else {}
        loop.learner.leave()
        self.watch.lap("judge")
        return self._end(parts, {name: value for name, value in scores.items() if math.isfinite(value)}, compared)

    def _phase(self, phase: str) -> None:
        self.reporter.say(replace(self.reporter.progress, phase=phase))

    def _refuse_what_cannot_be_trained(self, data: Dataset) -> None:
        check(self.experiment, data.facts)
        description = describe(self.experiment, data.facts, self.settings.memory_limit)
        if description.error:
            raise SpecError(description.error, description.error_where)
        self.parameters = description.parameters

    def _scores(self, parts: Assembly) -> dict[str, float]:
        """Those of the last epoch, or of the best one whose weights came back, and those of the whole splits."""
        last = parts.loop.history[-1].values if parts.loop.history else parts.loop.values
        return dict(parts.best.scores if parts.best.restored else last) | self._judge(parts, "predictions")

    def _judge(self, parts: Assembly, name: str) -> dict[str, float]:
        """Scores by Keras's metrics; the predictions from which every other score is computed are kept as ``name``."""
        scores: dict[str, float] = {}
        arrays, data = {}, parts.data
        for split, prefix, x, y in (
            ("validation", "val", data.x_validation, data.y_validation),
            ("test", "test", data.x_test, data.y_test),
        ):
            if not len(x):
                continue
            arrays[f"y_true_{split}"], arrays[f"y_score_{split}"] = y, parts.scores(x)
            with parts.learner.seat() as program:
                program.reset_metrics()
                program.evaluate(batches_of((x, encode_targets(y, self.experiment, data.facts))))
                scores |= {f"{prefix}_{metric}": value for metric, value in program.metrics()[0].items()}
                program.reset_metrics()
        self.store.write_arrays(self.run.id, name, arrays, lease=self.lease)
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    def _end(self, parts: Assembly, scores: dict[str, float], compared: dict[str, object]) -> _End:
        loop = parts.loop
        stopped_by = next((rule.reason for rule in parts.stop_rules if rule.reason), "")
        facts: dict[str, object] = {
            "parameters": self.parameters,
            "epochs": round(loop.epoch, 4),
            "steps": loop.step,
            "examples_per_second": round(loop.examples_per_second, 1),
            "seconds": {**self.watch.seconds, "first_metric": self.first.seconds},
            "device": device_name(),
            "versions": versions(),
            "note": loop.pilot.note,
            "best": parts.best.facts,
            "class_weights": parts.class_weights,
            **compared,
        }
        self.reporter.say(replace(self.reporter.progress, phase="", seconds_left=None), plan=loop.pilot.plan)
        if loop.failure:
            message = f"{loop.failure} The last finite weights are kept. {self._remedy(loop, scores)}"
            return _End(Event.FAIL, message, scores, facts)
        if not parts.is_whole(loop):
            return _End(Event.STOP, f"Stopped at epoch {loop.epoch:.1f}. The weights are kept.", scores, facts)
        if self.experiment.training.execution == "auto" and not self.reporter.controls.orders:
            self.store.save_plan(parts.plan_key(), loop.pilot.plan)
        return _End(Event.FINISH, f"{stopped_by} {parts.best.says}".strip(), scores, facts)

    def _remedy(self, loop: Loop, scores: Mapping[str, float]) -> str:
        """What to change where the loss stopped being a number."""
        model = self.experiment.model
        gain = model.weight_scale * max((getattr(layer, "kernel_gain", 1.0) for layer in model.layers), default=1.0)
        if loop.step == 0 and scores.keys().isdisjoint({"val_loss", "test_loss"}):
            remedy = "The loss is not finite before any step either: start from smaller weights"
        elif gain > LARGE_GAIN and not self.tuning:  # whose weights are those of its base
            smaller = f"Start from smaller weights (now {gain:g} times their usual size)"
            remedy = f"{smaller}, or lower the learning rate (now {loop.rate:g})"
        else:
            remedy = f"Lower the learning rate (now {loop.rate:g})"
        return f"{remedy}{'.' if self.experiment.data.scaling != 'none' else ', or scale the data.'}"
