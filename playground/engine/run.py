"""One run from claim to end: load, build, train, judge; the store hears of every step."""

import hashlib
import json
import logging
import math
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf

from playground.data import Dataset
from playground.engine import caches
from playground.engine.machine import device_name, versions
from playground.engine.model import describe, encode_targets, scores_of
from playground.engine.model.build import stack
from playground.engine.probes.health import PROBE_EXAMPLES, WatchHealth
from playground.engine.probes.network import NetworkPicture
from playground.engine.probes.surface import extent_of, received, surface
from playground.engine.stages import built_model, stages_of
from playground.engine.training import (
    Callback,
    Learner,
    LearningRate,
    Loop,
    OnDevice,
    Pilot,
    Schedule,
    Source,
    Streamed,
    batches_of,
    variables_of,
)
from playground.engine.training.callbacks import Checkpoint, KeepEpochs, Obey, Picture, Record, StopAtLoss
from playground.engine.training.reporting import Reporter
from playground.engine.tuning import Tuning
from playground.errors import LeaseLost, NotFound, PlaygroundError, SpecError
from playground.evaluation.health import Health
from playground.records import Event, Run
from playground.settings import Settings
from playground.spec import Experiment, check
from playground.store import Store

logger = logging.getLogger(__name__)


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
    scores: dict[str, float] = field(default_factory=dict)
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
        loop = self._loop(data)
        self.watch.lap("build")
        if self.tuning and self.tuning.before is None:
            self._phase("judging")
            self.tuning.before = self._judge(data, "predictions_before")
            self.watch.lap("judge_before")

        loop.run()
        self.watch.lap("train")
        if self.reporter.lost:
            raise LeaseLost(self.run.id)

        self._phase("judging")
        scores = dict(loop.history[-1].values if loop.history else loop.values) | self._judge(data, "predictions")
        compared = self.tuning.compare(loop.learner) if self.tuning else {}
        loop.learner.leave()
        self.watch.lap("judge")
        return self._end(loop, {name: value for name, value in scores.items() if math.isfinite(value)}, compared)

    def _phase(self, phase: str) -> None:
        self.reporter.say(replace(self.reporter.progress, phase=phase))

    def _refuse_what_cannot_be_trained(self, data: Dataset) -> None:
        check(self.experiment, data.facts)
        description = describe(self.experiment, data.facts, self.settings.memory_limit)
        if description.error:
            raise SpecError(description.error, description.error_where)
        self.parameters = description.parameters

    def _loop(self, data: Dataset) -> Loop:
        experiment, training = self.experiment, self.experiment.training
        kept = self.store.read_checkpoint(self.run.id)
        if self.tuning and kept:
            self.tuning.remember(kept[1]["tuning"])
        batch_size = data.facts.train if training.batch_size == "full" else training.batch_size
        schedule = Schedule(data.facts.train, batch_size, self.tuning.epochs if self.tuning else training.epochs)
        source = self._source(data, schedule)

        # Built anew for every run, because its starting values follow from the seed; compiled once for all.
        model, step, plan, settled = built_model(experiment, data), 0, self.run.plan, False
        if self.tuning and not kept:
            self.tuning.give_weights(model)
            step = self.tuning.first_step(schedule)
        values: list[Any] = [tf.convert_to_tensor(v.value) for v in variables_of(model)]
        if kept:
            values, step = [kept[0][f"v{index}"] for index in range(len(values))], int(kept[1]["step"])
            self.store.rewind(self.run.id, self.lease, step)
        elif training.execution == "auto" and (known := self.store.plan(self._plan_key())) is not None:
            plan, settled = known, True

        stages = stages_of(experiment, data, source.sizes, schedule.steps_per_epoch, model)
        stage = [stage for stage in stages if stage.step <= step][-1]
        program = stage.program()
        self.pilot = Pilot(program, training.execution, plan, settled)
        self.stop_rule = StopAtLoss(training.stop_at_loss) if training.stop_at_loss is not None else None
        self.learner = Learner(program, values)
        return Loop(
            self.learner,
            source,
            schedule=schedule,
            validation=self._validation(data),
            pilot=self.pilot,
            callbacks=self._callbacks(data),
            step=step,
            stages=stages,
            learning_rate=LearningRate(stage.rate),
        )

    def _source(self, data: Dataset, schedule: Schedule) -> Source:
        """The training examples: on the device, or streamed where they are more than the limit."""
        experiment = self.experiment
        shuffle = experiment.training.shuffle and schedule.steps_per_epoch > 1
        x, y = data.x_train, encode_targets(data.y_train, experiment, data.facts)
        if x.nbytes > self.settings.device_data_limit:
            return Streamed((x, y), schedule, shuffle, experiment.seed)
        on_device = caches.on_device(experiment.data, experiment.seed, x)
        return OnDevice((on_device, y), schedule, shuffle, experiment.seed)

    def _validation(self, data: Dataset) -> list[Any]:
        if not len(data.x_validation):
            return []
        return batches_of((data.x_validation, encode_targets(data.y_validation, self.experiment, data.facts)))

    def _callbacks(self, data: Dataset) -> list[Callback]:
        def change(event: Event) -> None:
            self.store.apply(self.run.id, self.lease, event)

        def meta(loop: Loop) -> dict[str, Any]:
            return {
                "step": loop.step, "epoch": loop.epoch, "seed": self.experiment.seed, "plan": loop.pilot.plan,
                "experiment": self.experiment.fingerprint(), "tuning": self.tuning.memory if self.tuning else None,
            }  # fmt: skip

        callbacks: list[Callback] = [self.first, Record(self.reporter)]
        if data.plane is not None:
            callbacks += self._pictures(data, data.plane)
        if self.stop_rule:
            callbacks.append(self.stop_rule)
        callbacks.append(Obey(self.reporter, change))
        callbacks.append(KeepEpochs(self.store, self.run.id, self.lease))
        if self.tuning is None or self.tuning.epochs:
            callbacks.append(self._watch_health(data))
        callbacks.append(Checkpoint(self.store, self.run.id, self.lease, self.settings.checkpoint_seconds, meta))
        return callbacks

    def _pictures(self, data: Dataset, plane: np.ndarray) -> list[Callback]:
        """Of a network on points: its decision surface, and everything in it."""
        extent, picture = extent_of(plane), NetworkPicture(self.experiment, data)

        def draw_surface() -> bytes:
            return surface(lambda at: self._scores(data, received(at, self.experiment.data, data.scaler)), extent)

        def draw_network() -> bytes:
            with self.learner.seat() as program:
                forward = program.extra("network", picture.forward)
                return picture.draw(forward, forward.compiled)

        return [
            Picture(self.reporter, "surface", draw_surface),
            Picture(self.reporter, "network", draw_network, seconds=0.2),
        ]

    def _watch_health(self, data: Dataset) -> WatchHealth:
        try:
            known = Health.from_arrays(self.store.read_arrays(self.run.id, "health"))
        except NotFound:
            known = None
        return WatchHealth(
            self.reporter,
            lambda arrays: self.store.write_arrays(self.run.id, "health", arrays, lease=self.lease),
            data.x_train,
            encode_targets(data.y_train[:PROBE_EXAMPLES], self.experiment, data.facts),
            [layer.id for layer in stack(self.experiment, data.facts)],
            known,
        )

    def _scores(self, data: Dataset, x: np.ndarray) -> np.ndarray:
        with self.learner.seat() as program:
            return scores_of(program.predict(x), self.experiment, data.facts)

    def _judge(self, data: Dataset, name: str) -> dict[str, float]:
        """Scores by Keras's metrics; the predictions from which every other score is computed are kept as ``name``."""
        scores: dict[str, float] = {}
        arrays = {}
        for split, prefix, x, y in (
            ("validation", "val", data.x_validation, data.y_validation),
            ("test", "test", data.x_test, data.y_test),
        ):
            if not len(x):
                continue
            arrays[f"y_true_{split}"], arrays[f"y_score_{split}"] = y, self._scores(data, x)
            with self.learner.seat() as program:
                program.model.reset_metrics()
                program.evaluate(batches_of((x, encode_targets(y, self.experiment, data.facts))))
                scores |= {f"{prefix}_{metric}": value for metric, value in program.metrics()[0].items()}
                program.model.reset_metrics()
        self.store.write_arrays(self.run.id, name, arrays, lease=self.lease)
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    def _end(self, loop: Loop, scores: dict[str, float], compared: dict[str, object]) -> _End:
        facts: dict[str, object] = {
            "parameters": self.parameters,
            "epochs": round(loop.epoch, 4),
            "steps": loop.step,
            "examples_per_second": round(loop.examples_per_second, 1),
            "seconds": {**self.watch.seconds, "first_metric": self.first.seconds},
            "device": device_name(),
            "versions": versions(),
            "note": loop.pilot.note,
            **compared,
        }
        whole = loop.step == loop.schedule.total_steps or bool(self.stop_rule and self.stop_rule.reason)
        self.reporter.say(replace(self.reporter.progress, phase="", seconds_left=None), plan=loop.pilot.plan)
        if loop.failure:
            rate = self.experiment.training.optimizer.learning_rate
            message = f"{loop.failure} The last finite weights are kept. Lower the learning rate (now {rate:g})"
            message += "." if self.experiment.data.scaling != "none" else ", or scale the data."
            return _End(Event.FAIL, message, scores, facts)
        if not whole:
            return _End(Event.STOP, f"Stopped at epoch {loop.epoch:.1f}. The weights are kept.", scores, facts)
        if self.experiment.training.execution == "auto":
            self.store.save_plan(self._plan_key(), loop.pilot.plan)
        return _End(Event.FINISH, self.stop_rule.reason if self.stop_rule else "", scores, facts)

    def _plan_key(self) -> str:
        """Names the experiment on this machine with these versions: the plan is replayed only where all agree."""
        what = [self.experiment.fingerprint(), device_name(), versions()]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]
