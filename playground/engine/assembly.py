"""Puts the loop of a run together: data, network, programs and callbacks; and anew when people change its course."""

import hashlib
import json
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from playground.data import Dataset
from playground.engine import caches
from playground.engine.course import Course, Leg
from playground.engine.machine import device_name, versions
from playground.engine.model import encode_targets, scores_of
from playground.engine.model.build import stack
from playground.engine.model.weighting import class_weights_of, sample_weights
from playground.engine.probes.health import PROBE_EXAMPLES, WatchHealth
from playground.engine.probes.network import NetworkPicture
from playground.engine.stages import built_model, stages_of
from playground.engine.steering import Ground, Steer
from playground.engine.training import (
    Callback,
    Learner,
    LearningRate,
    Loop,
    OnDevice,
    Pilot,
    Schedule,
    Source,
    Stage,
    Streamed,
    batches_of,
    stage_at,
    variables_of,
)
from playground.engine.training.best import KeepBest
from playground.engine.training.callbacks import Checkpoint, KeepEpochs, Picture, Record
from playground.engine.training.plateau import ReduceOnPlateau
from playground.engine.training.rate import Factors
from playground.engine.training.reporting import Reporter
from playground.engine.training.samples import Samples
from playground.engine.training.stopping import Stopper, stop_rules
from playground.engine.training.sweep import Sweep
from playground.engine.tuning import Tuning
from playground.errors import NotFound
from playground.evaluation.health import Health
from playground.records import Run
from playground.settings import Settings
from playground.spec import Experiment, changed, check_schedule
from playground.spec.data import Points
from playground.spec.schedules import Constant, RangeTest
from playground.spec.tuning import layers_with_weights
from playground.store import Store


class Assembly:
    """One run's parts.

    Args:
        store, run, lease: the run that is held.
        settings: folders and limits.
        reporter: hears how far it is.
        data: of its experiment.
        tuning: what its start means, if it has one.

    Attributes:
        loop: to be run.
        steer: obeys people.
        learner: holds the network's numbers.
        stop_rules: end the training before its last epoch.
        best: keeps the weights of the best epoch.
        class_weights: how much an example of each class counts; None: all the same.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        run: Run,
        lease: str,
        reporter: Reporter,
        data: Dataset,
        tuning: Tuning | None,
    ) -> None:
        self.store, self.settings, self.run, self.lease, self.reporter = store, settings, run, lease, reporter
        self.experiment: Experiment = run.experiment
        self.data, self.tuning = data, tuning
        self.class_weights = class_weights_of(data.y_train, run.experiment, len(data.facts.class_names))
        kept = store.read_checkpoint(run.id)
        if tuning and kept:
            tuning.remember(kept[1]["tuning"])
        self._put_together(kept)

    def _put_together(self, kept: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
        training = self.experiment.training
        course = self._course(kept[1] if kept else {})
        # Built anew for every run, because its starting values follow from the seed; compiled once for all.
        model, step, plan, settled = built_model(self.experiment, self.data), 0, self.run.plan, False
        schedule = course.schedule(self.data.facts.train)
        if self.tuning and not kept:
            self.tuning.give_weights(model)
            step = self.tuning.first_step(schedule)
        values: list[Any] = [tf.convert_to_tensor(v.value) for v in variables_of(model)]
        if kept:
            values, step = [kept[0][f"v{index}"] for index in range(len(values))], int(kept[1]["step"])
            self.store.rewind(self.run.id, self.lease, step)
        elif training.execution == "auto" and (known := self.store.plan(self.plan_key())) is not None:
            plan, settled = known, True

        source = self._source(schedule)
        stages = stages_of(self.experiment, self.data, source.sizes, schedule, model, course.frozen)
        stage = stage_at(stages, step)
        program = stage.program()
        self.learner = Learner(program, values)
        callbacks = self._callbacks(course)
        states = kept[1].get("callbacks", {}) if kept else {}
        for callback in callbacks:
            if state := states.get(type(callback).__name__):
                callback.restore(state)
        self.loop = Loop(
            self.learner,
            source,
            schedule=schedule,
            validation=self._validation(),
            pilot=Pilot(program, training.execution, plan, settled),
            callbacks=callbacks,
            step=step,
            stages=stages,
            learning_rate=LearningRate(stage.rate, self._factors(), course.rate_scale),
        )

    # The course, and what it makes of the loop

    def _course(self, memory: dict[str, Any]) -> Course:
        """The course so far; epochs that the experiment was given since come on top."""
        training, examples = self.experiment.training, self.data.facts.train
        asked = self.tuning.epochs if self.tuning else training.epochs
        if "course" in memory:
            course = Course.from_json(memory["course"])
            return replace(course, epochs=course.epochs + asked - int(memory["asked_epochs"]))
        size = examples if training.batch_size == "full" else training.batch_size
        return Course(asked, (Leg(0, 0, size),))

    def _factors(self) -> Factors | None:
        """The schedule; None where it leaves the rate as it is, so that nothing is handed to the compiled loop."""
        schedule = self.experiment.training.schedule
        return None if schedule == Constant() else schedule.factors

    def rebuild(self, course: Course) -> tuple[Source, Schedule, list[Stage]]:
        """Source, schedule and stages of a course."""
        schedule = course.schedule(self.data.facts.train)
        source = self._source(schedule)
        return source, schedule, stages_of(self.experiment, self.data, source.sizes, schedule, None, course.frozen)

    def _source(self, schedule: Schedule) -> Source:
        """The training examples: on the device, or streamed where they are more than the limit."""
        experiment, data = self.experiment, self.data
        shuffle = experiment.training.shuffle and schedule.steps_per_epoch > 1
        x, y = data.x_train, encode_targets(data.y_train, experiment, data.facts)
        targets = (y,) if self.class_weights is None else (y, sample_weights(data.y_train, self.class_weights))
        if x.nbytes > self.settings.device_data_limit:
            return Streamed((x, *targets), schedule, shuffle, experiment.seed)
        on_device = caches.on_device(experiment.data, experiment.seed, x)
        return OnDevice((on_device, *targets), schedule, shuffle, experiment.seed)

    def _validation(self) -> list[Any]:
        data = self.data
        if self.is_search or not len(data.x_validation):
            return []
        return batches_of((data.x_validation, encode_targets(data.y_validation, self.experiment, data.facts)))

    @property
    def is_search(self) -> bool:
        """Whether this is no training but a sweep of the learning rate: nothing is judged, and no weights are kept."""
        return isinstance(self.experiment.training.schedule, RangeTest)

    # Callbacks, in the order in which they are told

    def _callbacks(self, course: Course) -> list[Callback]:
        store, run_id, lease, training = self.store, self.run.id, self.lease, self.experiment.training
        checkpoint = Checkpoint(store, run_id, lease, self.settings.checkpoint_seconds, self._memory)
        self.stop_rules: list[Stopper] = stop_rules(training)
        self.best = KeepBest(store, run_id, lease, training, bool(self.data.facts.validation), self.is_whole)
        self.steer = Steer(store, run_id, lease, self.reporter, course, self._ground(checkpoint))
        callbacks: list[Callback] = [Record(self.reporter)]
        if isinstance(training.schedule, RangeTest):
            rate, keep = training.optimizer.learning_rate, partial(store.write_arrays, run_id, "sweep", lease=lease)
            self.stop_rules = [Sweep(training.schedule, rate, keep)]
            # Nobody looks at a network that is driven until it diverges.
            return [*callbacks, *self.stop_rules, checkpoint, self.steer]
        if isinstance(self.experiment.data, Points) and self.data.plane is not None:
            callbacks.append(self._picture())
        samples = Samples(self.data, self.experiment.data)
        if len(samples.x):
            callbacks.append(Picture(self.reporter, lambda: {"samples": samples.pack(self.scores(samples.x))}, 1.0))
        if training.reduce_on_plateau:
            callbacks.append(ReduceOnPlateau(training.reduce_on_plateau))
        callbacks += [*self.stop_rules, KeepEpochs(store, run_id, lease)]
        if self.tuning is None or self.tuning.epochs:
            callbacks.append(self._watch_health())
        # After the last epoch was kept as it is, and before the last checkpoint: the weights may be put back.
        return [*callbacks, self.best, checkpoint, self.steer]

    def _memory(self, loop: Loop) -> dict[str, Any]:
        """What a checkpoint has to know beside the numbers; JSON."""
        tuning, training = self.tuning, self.experiment.training
        return {
            "step": loop.step,
            "epoch": loop.epoch,
            "seed": self.experiment.seed,
            "plan": loop.pilot.plan,
            "experiment": self.experiment.fingerprint(),
            "tuning": tuning.memory if tuning else None,
            "course": replace(self.steer.course, rate_scale=loop.rate_scale).as_json(),
            "asked_epochs": tuning.epochs if tuning else training.epochs,
            "callbacks": {type(callback).__name__: state for callback in loop.callbacks if (state := callback.state())},
        }

    def _ground(self, checkpoint: Checkpoint) -> Ground:
        able = layers_with_weights(self.experiment)
        layers = {layer.id: layer.id in able for layer in stack(self.experiment, self.data.facts)}

        def fresh_values() -> list[Any]:
            return [tf.convert_to_tensor(v.value) for v in variables_of(built_model(self.experiment, self.data))]

        def check_epochs(epochs: int) -> None:
            training = changed(self.experiment.training, epochs=epochs)
            check_schedule(changed(self.experiment, training=training), self.data.facts)

        return Ground(self.data.facts.train, layers, check_epochs, self.rebuild, fresh_values, checkpoint.write)

    def _picture(self) -> Picture:
        """Of a network on points: everything in it, and its decision surface."""
        picture = NetworkPicture(self.experiment, self.data)

        def draw() -> dict[str, bytes]:
            with self.learner.seat() as program, program.averages.in_place():
                return picture.draw_both(program.extra("network", picture.forward))

        return Picture(self.reporter, draw, seconds=0.2)

    def _watch_health(self) -> WatchHealth:
        try:
            known = Health.from_arrays(self.store.read_arrays(self.run.id, "health"))
        except NotFound:
            known = None
        return WatchHealth(
            self.reporter,
            lambda arrays: self.store.write_arrays(self.run.id, "health", arrays, lease=self.lease),
            self.data.x_train,
            encode_targets(self.data.y_train[:PROBE_EXAMPLES], self.experiment, self.data.facts),
            [layer.id for layer in stack(self.experiment, self.data.facts)],
            known,
        )

    # For those who use the parts

    def is_whole(self, loop: Loop) -> bool:
        """Whether the training has come to its end, by its epochs or by a rule."""
        return loop.step == loop.schedule.total_steps or any(rule.reason for rule in self.stop_rules)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """What the network says of inputs as it receives them: see ``scores_of``."""
        with self.learner.seat() as program:
            return scores_of(program.predict(x), self.experiment, self.data.facts)

    def plan_key(self) -> str:
        """Names the experiment on this machine with these versions: the plan is replayed only where all agree."""
        what = [self.experiment.fingerprint(), device_name(), versions()]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]
