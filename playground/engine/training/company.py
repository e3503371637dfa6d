"""How many trainings share this process: what each may spend on being watched depends on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Company:
    """The trainings of one process."""

    def __init__(self) -> None:
        self.size = 0
        self._lock = Lock()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Be one of them for a while."""
        with self._lock:
            self.size += 1
        try:
            yield
        finally:
            with self._lock:
                self.size -= 1


COMPANY = Company()
"""Of this process."""
