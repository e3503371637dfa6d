"""Questions answered in this process, for the terminal and for tests."""

import os
from collections.abc import Mapping
from typing import Any

from playground.calls import call
from playground.jobs.base import CALLS, EngineStatus
from playground.settings import Settings


class InlineJobs:
    """The contract of ``Jobs`` in this process; TensorFlow is imported with the first question.

    The engine's functions read their settings from the environment, as in a worker: these become this process's.
    """

    def __init__(self, settings: Settings, calls: Mapping[str, str] = CALLS) -> None:
        os.environ.update(settings.environ())
        self._calls = calls

    def ask(self, name: str, *args: Any, timeout: float = 20) -> Any:
        """Call the function here and now. ``timeout`` is not kept: nobody could end it."""
        return call(self._calls[name], *args)

    def status(self) -> EngineStatus:
        """Always ready."""
        return EngineStatus("ready", workers=1)

    def close(self) -> None:
        """Nothing to let go of."""
