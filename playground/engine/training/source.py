"""Where the examples of a step come from: all on the device, or streamed window by window where they are too many."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from playground.engine.training.schedule import Schedule

WINDOW_BYTES = 64_000_000


class Window(NamedTuple):
    """Examples for the steps start ≤ step < end of a training, which run as step − start of the compiled function."""

    data: Any
    """``(x, y)`` or ``(x, y, sample_weight)`` of tensors."""
    orders: tf.Tensor
    """int32 (rows, examples): in which order they come."""
    start: int
    end: int
    rates: tf.Tensor | None = None
    """float32 (end − start,): the learning rate of each step; None where the optimizer keeps its own."""


class Source(Protocol):
    """Gives the window in which a step lies. ``sizes`` is what the compiled function is made for."""

    sizes: Schedule

    def window(self, step: int) -> Window:
        """The window in which ``step`` lies; it never reaches over a decision."""


class _Ahead:
    """Makes the next window while the present one is trained on."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="window")
        self._now: Window | None = None
        self._next: tuple[int, Future[Window]] | None = None

    def window(self, step: int) -> Window:
        if self._now is None or not self._now.start <= step < self._now.end:
            if self._next is None or self._next[0] != step:
                self._next = (step, self._pool.submit(self._make, step))
            self._now = self._next[1].result()
            following = self._now.end
            self._next = (following, self._pool.submit(self._make, following))
        return self._now

    def _make(self, step: int) -> Window:
        raise NotImplementedError


class OnDevice(_Ahead):
    """All examples stay on the device; a window is the span between two decisions.

    Args:
        data: ``(x, y)`` or ``(x, y, sample_weight)``, ``schedule.examples`` rows each.
    """

    def __init__(self, data: Any, schedule: Schedule, shuffle: bool, seed: int) -> None:
        super().__init__()
        self.sizes = schedule
        self._data = tf.nest.map_structure(tf.convert_to_tensor, data)
        self._shuffle, self._seed = shuffle, seed

    def _make(self, step: int) -> Window:
        first, last = self.sizes.period(step)
        orders = tf.constant(self.sizes.orders(first, self._seed, self._shuffle))
        return Window(self._data, orders, self.sizes.step_of(first), self.sizes.step_of(last))


class Streamed(_Ahead):
    """Examples stay in host memory; a window is as many steps of an epoch as ``window_bytes`` hold.

    A window has room for its whole batches and, after them, for the epoch's last smaller batch, so that all windows
    have one shape and one trace; the last window of an epoch, which may be short, is filled from the back.

    Args:
        data: a flat tuple of NumPy arrays, ``schedule.examples`` rows each.
    """

    def __init__(
        self,
        data: Sequence[np.ndarray],
        schedule: Schedule,
        shuffle: bool,
        seed: int,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        super().__init__()
        self._data, self._schedule, self._shuffle, self._seed = data, schedule, shuffle, seed
        self._full, self._tail = divmod(schedule.examples, schedule.batch_size)
        row_bytes = sum(array[:1].nbytes for array in data)
        self._steps = int(np.clip(window_bytes // (row_bytes * schedule.batch_size), 1, self._full))
        self.sizes = Schedule(self._steps * schedule.batch_size + self._tail, schedule.batch_size, 1)
        self._orders = tf.range(self.sizes.examples)[None]
        self._order: tuple[int, np.ndarray] | None = None

    def _make(self, step: int) -> Window:
        epoch = int(self._schedule.epoch_of(step))
        within = step - self._schedule.step_of(epoch)
        # The smaller batch belongs to the window of the last whole one.
        number = min(within, self._full - 1) // self._steps
        first = number * self._steps
        last = min(first + self._steps, self._full)
        is_last = last == self._full
        shift = self._steps - (last - first) if is_last else 0
        size = self._schedule.batch_size
        chosen = self._epoch_order(epoch)[first * size : None if is_last else last * size]
        arrays = []
        for array in self._data:
            room = np.zeros((self.sizes.examples, *array.shape[1:]), array.dtype)
            room[shift * size : shift * size + len(chosen)] = array[chosen]
            arrays.append(tf.convert_to_tensor(room))
        begin = self._schedule.step_of(epoch) + first
        end = begin + (last - first) + bool(is_last and self._tail)
        # Relative steps start at ``shift``: the window pretends to begin that much earlier.
        return Window(tuple(arrays), self._orders, begin - shift, end)

    def _epoch_order(self, epoch: int) -> np.ndarray:
        if self._order is None or self._order[0] != epoch:
            one = Schedule(self._schedule.examples, self._schedule.batch_size, 1)
            self._order = (epoch, one.orders(epoch, self._seed, self._shuffle)[0])
        return self._order[1]
