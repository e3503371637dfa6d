"""What happens between stretches of a run: each callback does one thing at one moment."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from playground.engine import machine
from playground.engine.training.callback import Callback
from playground.engine.training.loop import Loop
from playground.engine.training.reporting import Reporter
from playground.errors import StoreError
from playground.records import Point, Progress
from playground.store import Store

logger = logging.getLogger(__name__)

WHOLE_BYTES = 8_000_000
"""Up to so many bytes an epoch is kept with the state of its optimizer."""
KEPT_SHARE = 1 / 40
"""From one kept epoch to the next, of the time that has gone by, where there are more: of all of them ten are left."""
KEEPING_SHARE = 0.01
"""Of the training's time that keeping epochs may take, where they rush by."""
PICTURE_SHARE, PICTURES_SHARE = 0.03, 0.15
"""Of the training's time that drawing one kind of picture may take; and of the process's, for all trainings in it."""


class Record(Callback):
    """Tells the reporter how far the run is, with a live point a few times a second and every decision's scores."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._plan: tuple[tuple[int, str], ...] = ()
        self._recent: deque[tuple[float, float]] = deque(maxlen=12)
        self._began, self._pointed_at = time.perf_counter(), -math.inf

    def on_train_begin(self, loop: Loop) -> None:
        self._recent.append((time.perf_counter(), loop.epoch))
        self._reporter.say(progress_of(loop), plan=loop.pilot.plan)

    def on_stretch_end(self, loop: Loop) -> None:
        now = time.perf_counter()
        self._recent.append((now, loop.epoch))
        # Nobody reads faster than a page refreshes; the first seconds are watched most closely.
        due = now - self._pointed_at > (0.2 if now - self._began < 20 else 1.0)
        is_first = self._pointed_at == -math.inf
        points = self._point(loop) if due else ()
        plan, self._plan = (loop.pilot.plan if loop.pilot.plan != self._plan else None), loop.pilot.plan
        self._reporter.say(progress_of(loop, self._speed()), points=points, plan=plan, at_once=is_first)

    def on_decision(self, loop: Loop) -> None:
        self._reporter.say(progress_of(loop, self._speed()), points=(loop.history[-1],))

    def on_train_end(self, loop: Loop) -> None:
        # No further step is taken; the others may still have to measure and to write for a while.
        self._reporter.say(replace(progress_of(loop, self._speed()), phase="finishing"), at_once=True)

    def on_pause(self, loop: Loop) -> None:
        self._recent.clear()
        self._recent.append((time.perf_counter(), loop.epoch))
        self._reporter.say(progress_of(loop), points=self._point(loop), at_once=True)

    def on_jump(self, loop: Loop) -> None:
        self._recent.clear()
        self._pointed_at = -math.inf

    def _point(self, loop: Loop) -> tuple[Point, ...]:
        """The live point of this moment, unless there is none or it is a decision, which has a better one."""
        decided = bool(loop.history) and loop.history[-1].step == loop.step
        if not loop.values or decided:
            return ()
        self._pointed_at = time.perf_counter()
        return (Point(loop.step, loop.epoch, "chunk", dict(loop.values)),)

    def _speed(self) -> float:
        """Epochs a second, over the last stretches."""
        (then, epoch_then), (now, epoch) = self._recent[0], self._recent[-1]
        return (epoch - epoch_then) / (now - then) if now > then else 0.0


def progress_of(loop: Loop, speed: float = 0.0) -> Progress:
    """How far a training is that runs at ``speed`` epochs a second; 0: it stands, or nobody knows yet."""
    return Progress(
        step=loop.step,
        total_steps=loop.schedule.total_steps,
        epoch=loop.epoch,
        epochs=loop.schedule.epochs,
        examples_per_second=speed * loop.schedule.examples,
        seconds_left=(loop.schedule.epochs - loop.epoch) / speed if speed else None,
        phase="training",
        rate=loop.rate,
        **machine.use()._asdict(),
    )


class Picture(Callback):
    """Publishes small pictures of the network, such as its decision surface: every half second at most, rarer where
    they take long to draw, and always at a pause and at the end.

    Args:
        reporter: hears of them.
        draw: gives them by name.
        seconds: at least, from one to the next.
    """

    def __init__(self, reporter: Reporter, draw: Callable[[], Mapping[str, bytes]], seconds: float = 0.5) -> None:
        self._reporter, self._draw, self._seconds = reporter, draw, seconds
        self._drawn_at, self._cost = -math.inf, 0.0

    def on_stretch_end(self, loop: Loop) -> None:
        if time.perf_counter() - self._drawn_at >= self._gap():
            self._publish(loop)

    def _gap(self) -> float:
        """Seconds between two pictures."""
        return max(self._seconds, self._cost / PICTURE_SHARE, self._cost * self._reporter.company / PICTURES_SHARE)

    def on_pause(self, loop: Loop) -> None:
        self._publish(loop, at_once=True)

    def on_train_end(self, loop: Loop) -> None:
        self._publish(loop)

    def _publish(self, loop: Loop, *, at_once: bool = False) -> None:
        is_first, began = self._drawn_at == -math.inf, time.perf_counter()
        live = {name: (loop.step, picture) for name, picture in self._draw().items()}
        self._drawn_at = time.perf_counter()
        if not is_first:  # which compiles what draws; the least is what it costs when nobody else wants the processor
            took = self._drawn_at - began
            self._cost = min(self._cost or took, took)
        self._reporter.say(self._reporter.progress, live=live, at_once=at_once or is_first)


class Checkpoint(Callback):
    """Writes all values of the run every ``seconds``, beside the training, and once more at its end."""

    def __init__(
        self, store: Store, run_id: str, lease: str, seconds: float, meta: Callable[[Loop], dict[str, Any]]
    ) -> None:
        self._store, self._run_id, self._lease, self._seconds, self._meta = store, run_id, lease, seconds, meta
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"checkpoint-{run_id}")
        self._written_at = time.perf_counter()
        self._pending: Future[None] | None = None

    def on_stretch_end(self, loop: Loop) -> None:
        late = time.perf_counter() - self._written_at >= self._seconds
        if late and (self._pending is None or self._pending.done()):
            self.write(loop)

    def on_train_end(self, loop: Loop) -> None:
        self.write(loop)
        self._pool.shutdown(wait=True)

    def write(self, loop: Loop) -> None:
        """Write one now."""
        self._written_at = time.perf_counter()
        with loop.learner.seat() as program:
            values = program.values()
        self._pending = self._pool.submit(self._save, loop.step, values, self._meta(loop))

    def _save(self, step: int, values: list[Any], meta: dict[str, Any]) -> None:
        try:
            arrays = {f"v{index}": np.asarray(value) for index, value in enumerate(values)}
            self._store.write_checkpoint(self._run_id, step, arrays, meta, lease=self._lease)
        except StoreError as error:
            # The checkpoint before is still whole; a full disk must not end a training.
            logger.warning("checkpoint of run %s at step %d: %s", self._run_id, step, error)


class KeepEpochs(Callback):
    """Keeps the weights of some epochs, spread evenly over the training, to look into and to start from.

    The latest are always among them, for those who step on and take it back; of the others those that are far enough
    apart (:func:`spread`). The first are the weights before the first step: epoch 0, or that from which a saved
    training goes on. At most one a second, for a run that is over in a moment must not wait for its disk; where epochs
    rush by, ever rarer (:data:`KEPT_SHARE`). Of small networks the optimizer is kept as well: going back to such an
    epoch is as if what came after had never been.
    """

    def __init__(self, store: Store, run_id: str, lease: str, most: int = 10, seconds: float = 1.0) -> None:
        self._store, self._run_id, self._lease, self._most, self._seconds = store, run_id, lease, most, seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"epochs-{run_id}")
        self._kept = store.kept_epochs(run_id)
        self._written_at = self._decided_at = -math.inf
        self._began, self._cost = time.perf_counter(), 0.0
        self._pending: Future[None] | None = None

    def on_train_begin(self, loop: Loop) -> None:
        if not self._kept:
            self._keep(loop)

    def on_decision(self, loop: Loop) -> None:
        now = time.perf_counter()
        # Whoever steps finds the epochs that were stepped through, however long the training has lasted.
        rushes, self._decided_at = now - self._decided_at < self._seconds, now
        late = now - self._written_at >= (self._gap(now) if rushes else self._seconds)
        if late and (self._pending is None or self._pending.done()):
            self._keep(loop)

    def _gap(self, now: float) -> float:
        """Seconds between two kept epochs of many."""
        return max(self._seconds, (now - self._began) * KEPT_SHARE, self._cost / KEEPING_SHARE)

    def on_jump(self, loop: Loop) -> None:
        if self._pending is not None:
            self._pending.result()
        gone = [epoch for epoch in self._kept if epoch > loop.epoch]
        self._kept = [epoch for epoch in self._kept if epoch not in gone]
        self._store.drop_epochs(self._run_id, gone, lease=self._lease)

    def on_train_end(self, loop: Loop) -> None:
        if loop.epoch == int(loop.epoch) and int(loop.epoch) not in self._kept:
            self._keep(loop)
        self._pool.shutdown(wait=True)

    def _keep(self, loop: Loop) -> None:
        self._written_at = time.perf_counter()
        with loop.learner.seat() as program:
            values = program.values()
            if sum(math.prod(value.shape) * value.dtype.size for value in values) > WHOLE_BYTES:
                values = program.weights()
        self._kept = sorted({*self._kept, round(loop.epoch)})
        self._pending = self._pool.submit(self._save, round(loop.epoch), values)

    def _save(self, epoch: int, values: list[Any]) -> None:
        began = time.perf_counter()
        try:
            arrays = {f"v{index}": np.asarray(value) for index, value in enumerate(values)}
            self._store.keep_epoch(self._run_id, epoch, arrays, lease=self._lease)
            stays = spread(self._kept, self._most)
            if gone := [epoch for epoch in self._kept if epoch not in stays]:
                self._kept = stays
                self._store.drop_epochs(self._run_id, gone, lease=self._lease)
        except StoreError as error:
            # What was kept before is whole; a full disk must not end a training.
            logger.warning("weights of run %s after epoch %d: %s", self._run_id, epoch, error)
        took = time.perf_counter() - began
        self._cost = min(self._cost or took, took)  # what it is when nobody else wants the processor


def spread(epochs: Sequence[int], most: int, latest: int = 3) -> list[int]:
    """The first of some epochs, the ``latest``, and between them ``most`` that are about equally far apart."""
    chosen = [*epochs[:1]]
    for epoch in epochs[1:-latest]:
        if epoch - chosen[-1] >= (epochs[-1] - epochs[0]) / most:
            chosen.append(epoch)
    return [*chosen, *epochs[max(1, len(epochs) - latest) :]]
