"""Collects the health of a training beside it, at a few per cent of its time, and changes none of its numbers."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from playground.engine.probes.meter import Meter, activation_of
from playground.engine.training import Callback, Loop, Program
from playground.engine.training.reporting import Reporter
from playground.errors import StoreError
from playground.evaluation.health import Health, Moment, Names

logger = logging.getLogger(__name__)

PROBE_EXAMPLES = 64
"""The first ones of the training examples, always the same."""
SHARE, SHARE_OF_ALL = 0.02, 0.1
"""Of the training's time that all of it may take; and of the process's, for all trainings in it. The first measurement
and the last come on top."""
MOMENTS, HISTOGRAM_MOMENTS = 200, 24
"""More than this no page shows: then every other one goes, and the next ones come half as often."""
SECONDS_BETWEEN_MOMENTS, SECONDS_BETWEEN_HISTOGRAMS = 0.25, 0.5
SECONDS_BETWEEN_PICTURES, SECONDS_BETWEEN_SAVES = 1.0, 30.0
WAITING_BYTES = 64_000_000
"""Weights that may be held while the function is traced."""
SECONDS_AT_A_TIME = 0.05
"""For what has waited, after each stretch: the training and who steers it do not wait for all of it."""


@dataclass(frozen=True)
class _Waiting:
    """A moment to be measured as soon as it can be: all values of the training at that step."""

    step: int
    epoch: float
    values: list[tf.Tensor]


class WatchHealth(Callback):
    """Measures gradients, updates, weights and outputs on a fixed probe batch, from the first step to the last.

    Tracing the function takes about a second. It happens in a thread of its own; what comes before is held as values
    and measured afterwards, so that nobody waits longer for the first point of a curve.

    Args:
        reporter: hears of the series while they grow.
        save: keeps them for good.
        x: the first training examples.
        y: their targets, as the loss wants them.
        layer_names: ids of the layers from first to last; a shared program has those of whoever came first.
        known: what was measured before the training was interrupted.
    """

    def __init__(
        self,
        reporter: Reporter,
        save: Callable[[dict[str, np.ndarray]], None],
        x: np.ndarray,
        y: np.ndarray,
        layer_names: Sequence[str],
        known: Health | None = None,
    ) -> None:
        self.health = known
        self._reporter, self._save, self._layer_names = reporter, save, tuple(layer_names)
        self._x, self._y = (tf.convert_to_tensor(array[:PROBE_EXAMPLES]) for array in (x, y))
        self._waiting: list[_Waiting] = []
        self._gap, self._histogram_gap, self._cost = SECONDS_BETWEEN_MOMENTS, SECONDS_BETWEEN_HISTOGRAMS, 0.0
        self._measured_at = self._histogram_at = self._told_at = -math.inf
        self._saved_at = time.perf_counter()

    def on_train_begin(self, loop: Loop) -> None:
        with loop.learner.seat() as program:
            names = _names(_meter(program), self._layer_names)
            if self.health is None or self.health.names != names:
                self.health = Health.empty(names)
            self.health = self.health.until(loop.step - 1)
            self._hold(loop, program)

    def on_stretch_end(self, loop: Loop) -> None:
        began = time.perf_counter()
        rare = max(self._cost / SHARE, self._cost * self._reporter.company / SHARE_OF_ALL)
        if began - self._measured_at < max(self._gap, rare) or loop.failure:
            return
        is_first, waited = not len(self._known()), len(self._waiting)
        with loop.learner.seat() as program:
            self._hold(loop, program)
            meter = _meter(program)
            # Not before the first stretch, which traces itself. A stage with other layers frozen is another program.
            meter.prepare(self._x, self._y)
            if meter.is_ready:
                self._measure(loop, program, SECONDS_AT_A_TIME)
        now = time.perf_counter()
        if now - self._told_at > SECONDS_BETWEEN_PICTURES:
            self._tell(loop)
        if now - self._saved_at > SECONDS_BETWEEN_SAVES:
            self._write(loop)
        if not is_first and not waited:  # the first also chooses kernels and plans memory; what waited comes once
            self._cost = (self._cost + time.perf_counter() - began) / 2 if self._cost else time.perf_counter() - began

    def on_jump(self, loop: Loop) -> None:
        self.health, self._waiting = self._known().until(loop.step - 1), []
        with loop.learner.seat() as program:
            self._hold(loop, program)

    def on_train_end(self, loop: Loop) -> None:
        self.health = self._known().until(loop.step - 1)  # the end is always to be seen with its histograms
        with loop.learner.seat() as program:
            self._hold(loop, program, at_once=True)
            self._measure(loop, program, math.inf)
        self._tell(loop)
        self._write(loop)

    def _hold(self, loop: Loop, program: Program, *, at_once: bool = False) -> None:
        """Put the present moment among those to be measured, unless they have become too many to wait."""
        self._measured_at = time.perf_counter()
        known = [*self._known().step[-1:], *(moment.step for moment in self._waiting[-1:])]
        if loop.step in known:
            return
        values = program.values()
        held = (len(self._waiting) + 1) * sum(math.prod(value.shape) * value.dtype.size for value in values)
        if held < WAITING_BYTES or not self._waiting or at_once:
            self._waiting.append(_Waiting(loop.step, loop.epoch, values))

    def _measure(self, loop: Loop, program: Program, seconds: float) -> None:
        """Measure what waits, the oldest first, for about so long; leave in the program what sits in it."""
        meter, present, began = _meter(program), program.values(), time.perf_counter()
        is_present = True
        while self._waiting and time.perf_counter() - began < seconds:
            moment = self._waiting.pop(0)
            if not is_present or moment.step != loop.step:
                program.assign(moment.values)
                is_present = False
            at = time.perf_counter()
            is_end = not self._waiting and seconds == math.inf
            due = is_end or at - self._histogram_at >= self._histogram_gap or moment.step != loop.step
            self._histogram_at = at if due else self._histogram_at
            self._add(meter.measure(self._x, self._y, moment.step, moment.epoch, with_histograms=due))
        if not is_present:
            program.assign(present)

    def _add(self, found: Moment) -> None:
        health = self._known().with_moment(found)
        # What becomes rarer in the past becomes rarer from now on as well: evenly spread over the run.
        self._gap *= 2 if len(health) > MOMENTS else 1
        self._histogram_gap *= 2 if len(health.histogram_epoch) > HISTOGRAM_MOMENTS else 1
        self.health = health.thinned(MOMENTS, HISTOGRAM_MOMENTS)

    def _known(self) -> Health:
        if self.health is None:
            raise RuntimeError("A training is watched from on_train_begin on.")
        return self.health

    def _tell(self, loop: Loop) -> None:
        self._told_at = time.perf_counter()
        if len(self._known()):
            self._reporter.say(self._reporter.progress, live={"health": (loop.step, self._known().pack())})

    def _write(self, loop: Loop) -> None:
        self._saved_at = time.perf_counter()
        try:
            self._save(self._known().to_arrays())
        except StoreError as error:
            # A full disk must not end a training.
            logger.warning("health at step %d: %s", loop.step, error)


def _meter(program: Program) -> Meter:
    return program.extra("health", Meter)


def _names(meter: Meter, layer_names: Sequence[str]) -> Names:
    """Names of the experiment's own layers; by position, because the program's may be those of another experiment."""
    renamed = dict(zip([layer.name for layer in meter.layers], layer_names, strict=True))
    owners = {id(v): layer.name for layer in meter.layers for v in layer.weights}
    return Names(
        layers=tuple(layer_names),
        activations=tuple(activation_of(layer) for layer in meter.layers),
        variables=tuple(f"{renamed[owners[id(v)]]}/{v.name}" for v in meter.variables),
        shapes=tuple(tuple(v.shape) for v in meter.variables),
    )
