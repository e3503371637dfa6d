"""What may be asked of an engine, and by which name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

CALLS: Mapping[str, str] = {
    "describe": "playground.engine.worker:describe",
    "preview": "playground.engine.worker:preview",
    "opening": "playground.engine.worker:opening",
    "probe": "playground.engine.worker:probe",
    "import_model": "playground.engine.worker:import_model",
    "fetch": "playground.engine.worker:fetch",
    "train": "playground.engine.worker:train",
}
"""Every function of the engine that may be called, by its name."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine is, as a page shows it."""

    state: Literal["starting", "ready", "lost", "none"]
    """``lost``: there was one, or there should be, and it does not answer."""
    workers: int = 0
    """Train workers that are up."""
    device: str = ""
    """What they compute on."""
    running: int = 0
    """Runs that they train now."""
    message: str = ""
    """One sentence for people, unless it is ready."""


class Jobs(Protocol):
    """Somewhere to ask questions."""

    def ask(self, name: str, *args: Any, timeout: float = 20) -> Any:
        """Call the function ``CALLS[name]`` with plain arguments and return its plain result.

        Args:
            name: one of ``CALLS``.
            args: strings, numbers, arrays; never live objects.
            timeout: seconds to wait for the answer.

        Raises:
            EngineUnavailable: nobody answers: starting, lost, or not in time.
            PlaygroundError: the error that the function raised.
        """

    def status(self) -> EngineStatus:
        """How the engine is. Cheap: no question is asked for it."""

    def close(self) -> None:
        """Let go of connections."""
