"""Answers that are asked for again and again, kept for many threads together."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from playground.errors import EngineUnavailable

T = TypeVar("T")


class Remember(Generic[T]):
    """The newest ``size`` answers by key. A question is asked once, however many threads want the answer at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[Hashable, Future[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer to ``key``, from memory or from ``ask``. What ``ask`` raises is not remembered."""
        future, is_new = self._future(key)
        if is_new:
            self._answer(key, future, ask)
        return future.result()

    def forget(self, key: Hashable) -> None:
        """Ask again next time."""
        with self._lock:
            self._answers.pop(key, None)

    def _future(self, key: Hashable) -> tuple[Future[T], bool]:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key], False
            future: Future[T] = Future()
            self._answers[key] = future
            if len(self._answers) > self._size:
                self._answers.popitem(last=False)
            return future, True

    def _answer(self, key: Hashable, future: Future[T], ask: Callable[[], T]) -> None:
        try:
            answer = ask()
        except BaseException as error:  # those who wait for the same answer have to learn of it, whatever it is
            self.forget(key)
            future.set_exception(error)
        else:
            future.set_result(answer)


class Asking(Remember[T]):
    """The same for questions that may take long: a page waits a moment, then it goes on without the answer.

    Args:
        size: how many answers are kept.
        patience: seconds that a page waits; its live parts stand still meanwhile.
    """

    def __init__(self, size: int, patience: float) -> None:
        super().__init__(size)
        self.patience = patience
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="asking")

    def get(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer to ``key``.

        Raises:
            EngineUnavailable: there is none yet; it is being asked for, so come again.
        """
        future = self.begin(key, ask)
        try:
            return future.result(self.patience)
        except TimeoutError:
            if future.done():
                raise  # it is the answer itself
            raise EngineUnavailable("The engine is working on it. The answer appears in a moment.") from None

    def begin(self, key: Hashable, ask: Callable[[], T]) -> Future[T]:
        """Ask, unless somebody has, and wait for nothing."""
        future, is_new = self._future(key)
        if is_new:
            self._threads.submit(self._answer, key, future, ask)
        return future
