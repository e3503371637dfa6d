"""What runs next, a network or a variant of its compiled function, on its way: made beside whatever runs now."""

from collections.abc import Callable
from threading import Thread

import tensorflow as tf


class Compilation:
    """Compiles at once, in a thread of its own.

    Args:
        call: makes it, in a way that changes no variable of the training.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        self.is_ready = False
        self.error = ""
        """One line, where it cannot be compiled."""
        self._call = call
        self._thread = Thread(target=self._work, name="compile-xla", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._call()
            self.is_ready = True
        except (tf.errors.OpError, ValueError, TypeError, NotImplementedError) as error:
            # Some operations have no XLA kernel. The plain variant goes on, and the run says so.
            self.error = str(error).strip().splitlines()[0] or type(error).__name__

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def ends_within(self, seconds: float) -> bool:
        """Whether it has come to its end after so many seconds at most, compiled or not."""
        self._thread.join(seconds)
        return not self.is_running

    def wait(self) -> bool:
        """Block until it is compiled; False when it cannot be."""
        self._thread.join()
        return self.is_ready
