"""What people ask of a run while it is under way: stop, pause, go on, and their orders, one after the other.

All of it happens between two stretches, a fifth of a second after it was asked at most. Every order is settled in the
store with the step from which it holds, or with a sentence why not.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from playground.engine.course import Course
from playground.engine.training import Callback, Loop, Program, Schedule, Source, Stage
from playground.engine.training.reporting import Reporter
from playground.errors import NotFound, PlaygroundError, SpecError
from playground.records import Event, Ordered
from playground.spec.orders import (
    Freeze,
    Order,
    Rewind,
    SetBatchSize,
    SetEpochs,
    SetRate,
    SetSpeed,
    SetWeight,
    Step,
)
from playground.store import Store

SECONDS_OF_PAUSE = 60.0
"""After so long a paused run writes a checkpoint and lets go of its worker; an order or going on brings it back."""
LOOK_EVERY, LOOK_EVERY_WAITING = 0.1, 0.05
"""Seconds between two looks at what is asked, while it trains (epochs of small networks last a few milliseconds) and
while it waits."""


class Ground:
    """What steering needs to know of its run.

    Args:
        examples: of the training split.
        layers: ids of all layers from first to last, and which of them have weights.
        check_epochs: raises SpecError where the schedule has no rate for so many epochs.
        rebuild: what a course makes of the loop: source, schedule and all stages.
        fresh_values: the values of all variables before the first step.
        write: writes a checkpoint.
    """

    def __init__(
        self,
        examples: int,
        layers: dict[str, bool],
        check_epochs: Callable[[int], None],
        rebuild: Callable[[Course], tuple[Source, Schedule, Sequence[Stage]]],
        fresh_values: Callable[[], list[Any]],
        write: Callable[[Loop], None],
    ) -> None:
        self.examples, self.layers, self.check_epochs = examples, layers, check_epochs
        self.rebuild, self.fresh_values, self.write = rebuild, fresh_values, write


class Steer(Callback):
    """Obeys."""

    def __init__(
        self, store: Store, run_id: str, lease: str, reporter: Reporter, course: Course, ground: Ground
    ) -> None:
        self.course = course
        self.gave_way = False
        """It paused for long and let go of its worker."""
        self._store, self._run_id, self._lease, self._reporter = store, run_id, lease, reporter
        self._ground = ground
        self._seen, self._later = 0, list[tuple[int, Ordered]]()
        self._paused, self._step_until = False, -1
        self._slow_from: tuple[float, int] = (0.0, 0)

    # Waiting

    def on_rest(self, loop: Loop) -> None:
        paused_at = 0.0
        self._listen(loop, LOOK_EVERY)
        while not self._is_to_end(loop):
            if self._holds(loop):
                if not paused_at:
                    paused_at = time.monotonic()
                    self._begin_pause(loop)
                elif time.monotonic() - paused_at > SECONDS_OF_PAUSE:
                    self.gave_way = loop.stop_training = True
                    return
                patience = LOOK_EVERY_WAITING
            else:
                self._end_pause()
                patience = min(self._early(loop), LOOK_EVERY_WAITING)
                if patience <= 0:
                    return
            time.sleep(patience)
            self._listen(loop, LOOK_EVERY_WAITING)
        loop.stop_training = True

    def _is_to_end(self, loop: Loop) -> bool:
        asked = self._reporter.controls.stop or self._reporter.lost
        return asked or loop.stop_training or loop.step >= loop.schedule.total_steps

    def _holds(self, loop: Loop) -> bool:
        return self._reporter.controls.pause and loop.step >= self._step_until

    def _begin_pause(self, loop: Loop) -> None:
        if not self._paused:
            self._store.apply(self._run_id, self._lease, Event.PAUSE)
        self._paused = True
        loop.tell("on_pause")

    def _end_pause(self) -> None:
        if self._paused and not self._reporter.controls.pause:
            self._store.apply(self._run_id, self._lease, Event.CONTINUE)
            self._paused = False

    def _early(self, loop: Loop) -> float:
        """Seconds by which the training is ahead of the speed at which it is to be watched."""
        if self.course.speed is None or self._paused:
            return 0.0
        since, step = self._slow_from
        if not since:
            self._slow_from = since, step = time.monotonic(), loop.step
        steps_per_second = self.course.speed * loop.schedule.steps_per_epoch
        return since + (loop.step - step) / steps_per_second - time.monotonic()

    # Orders

    def _listen(self, loop: Loop, every: float) -> None:
        self._reporter.look(every)
        for at, ordered in [*self._later]:
            if loop.step >= at:
                self._later.remove((at, ordered))
                self._obey(loop, ordered)
        if self._reporter.controls.orders > self._seen:
            for ordered in self._store.orders(self._run_id, after=self._seen):
                self._seen = ordered.number
                if ordered.step is None and not ordered.refusal:
                    self._obey(loop, ordered)

    def _obey(self, loop: Loop, ordered: Ordered) -> None:
        refusal = ""
        try:
            at = OBEY[type(ordered.order)](self, loop, ordered.order)
        except PlaygroundError as error:
            at, refusal = loop.step, str(error)
        if at > loop.step:
            loop.halts.add(at)
            self._later.append((at, ordered))
            self._store.obeyed(self._run_id, self._lease, ordered.number, None)
            return
        self._store.obeyed(self._run_id, self._lease, ordered.number, loop.step, refusal)
        if not refusal and not isinstance(ordered.order, Step | SetSpeed):
            self._ground.write(loop)
            if self._paused:
                loop.tell("on_pause")

    def _turn(self, loop: Loop, course: Course) -> None:
        self.course, self._slow_from = course, (0.0, 0)
        loop.turn(*self._ground.rebuild(course))

    # One method an order. It gives the step at which the order holds: a later one means that it has to wait.

    def _set_rate(self, loop: Loop, order: SetRate) -> int:
        if not loop.rate:
            raise SpecError("The schedule has brought the learning rate to 0. Give the run more epochs first.")
        loop.scale_rate(order.learning_rate / loop.rate)
        return loop.step

    def _set_batch_size(self, loop: Loop, order: SetBatchSize) -> int:
        examples = self._ground.examples
        size = examples if order.batch_size == "full" else order.batch_size
        if size > examples:
            raise SpecError(f"There are only {examples:,} training examples. Choose a batch size up to that.")
        epoch = round(loop.epoch) if loop.epoch == round(loop.epoch) else int(loop.epoch) + 1
        at = loop.schedule.step_of(epoch)
        if at == loop.step:
            self._turn(loop, self.course.with_batch_size(size, at, epoch))
        return at

    def _set_epochs(self, loop: Loop, order: SetEpochs) -> int:
        if order.epochs <= loop.epoch:
            raise SpecError(f"Epoch {int(loop.epoch) + 1:,} is under way. Choose more epochs than that, or stop.")
        self._ground.check_epochs(order.epochs)
        self._turn(loop, replace(self.course, epochs=order.epochs))
        return loop.step

    def _freeze(self, loop: Loop, order: Freeze) -> int:
        layers = self._ground.layers
        if unknown := [name for name in order.layers if not layers.get(name)]:
            raise SpecError(f"There is no layer {unknown[0]!r} with weights. Choose layers of this network.")
        if all(name in order.layers for name, has_weights in layers.items() if has_weights):
            raise SpecError("With every layer frozen nothing would be learned. Leave one free.")
        self._turn(loop, replace(self.course, frozen=order.layers))
        return loop.step

    def _step(self, loop: Loop, order: Step) -> int:
        if not self._reporter.controls.pause:
            raise SpecError("The run is not paused. Pause it first, then step.")
        if order.unit == "batch":
            self._step_until = loop.step + order.count
        else:
            self._step_until = loop.schedule.step_of(int(loop.epoch) + order.count)
        loop.halts.add(self._step_until)
        return loop.step

    def _rewind(self, loop: Loop, order: Rewind) -> int:
        if order.epoch >= loop.epoch and loop.step:
            raise SpecError(f"The run is at epoch {loop.epoch:g}. Choose an epoch before that.")
        try:
            kept = self._store.read_epoch(self._run_id, order.epoch)
        except NotFound:
            choice = ", ".join(map(str, self._store.kept_epochs(self._run_id))) or "none yet"
            raise SpecError(
                f"No weights were kept of epoch {order.epoch:,}. Choose one of the kept epochs: {choice}."
            ) from None
        course, step = self.course.back_to(order.epoch, self._ground.examples)
        values = [tf.convert_to_tensor(kept[f"v{place}"]) for place in range(len(kept))]
        if missing := len(loop.learner.program.variables) - len(values):
            # Large networks keep no optimizer with their epochs: it begins anew.
            values += self._ground.fresh_values()[-missing:]
        self._reporter.flush()
        self._store.rewind(self._run_id, self._lease, step)
        self._step_until = -1
        self.course, self._slow_from = course, (0.0, 0)
        loop.jump(step, values, *self._ground.rebuild(course))
        return step

    def _set_weight(self, loop: Loop, order: SetWeight) -> int:
        places = list(self._ground.layers)
        if order.layer not in places:
            raise SpecError(f"There is no layer {order.layer!r}. Choose a layer of this network.")

        def put(program: Program) -> None:
            # By position: a shared program has the names of whoever came first.
            layer = program.model.layers[1 + places.index(order.layer)]
            variable = getattr(layer, order.variable, None)
            if variable is None:
                raise SpecError(f"The layer {order.layer!r} has no {order.variable}. Choose another one.")
            value = np.array(variable.numpy())
            if len(order.index) != value.ndim or any(np.asarray(order.index) >= value.shape):
                raise SpecError(f"The {order.variable} of {order.layer!r} has the shape {value.shape}.")
            value[order.index] = order.value
            variable.assign(value)

        loop.change(put)
        return loop.step

    def _set_speed(self, loop: Loop, order: SetSpeed) -> int:
        self.course, self._slow_from = replace(self.course, speed=order.epochs_per_second), (0.0, 0)
        self._keep_stretches_short(loop)
        return loop.step

    def on_train_begin(self, loop: Loop) -> None:
        self._keep_stretches_short(loop)

    def _keep_stretches_short(self, loop: Loop) -> None:
        """At a speed for people, steps come evenly: five times a second where they are many."""
        if self.course.speed is None:
            loop.most_steps = None
        else:
            loop.most_steps = max(1, int(self.course.speed * loop.schedule.steps_per_epoch / 5))


OBEY: dict[type[Order], Callable[[Steer, Loop, Any], int]] = {
    SetRate: Steer._set_rate,
    SetBatchSize: Steer._set_batch_size,
    SetEpochs: Steer._set_epochs,
    Freeze: Steer._freeze,
    Step: Steer._step,
    Rewind: Steer._rewind,
    SetWeight: Steer._set_weight,
    SetSpeed: Steer._set_speed,
}
"""What does each order."""
