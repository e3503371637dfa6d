"""Every error that a person can meet, in one tree.

    PlaygroundError
    ├── SpecError          what was asked cannot be: says where, what came in and what to change
    │   └── LayerError     the same, at one layer of the stack (``index``)
    ├── ModelRefused       a model file is not taken in: lists every reason
    ├── DataMissing        a data set is not on this machine and cannot be fetched
    ├── NotFound           no run, draft or experiment under this name
    ├── NotAllowed         the run is in a state in which this cannot be done
    ├── LeaseLost          somebody else holds this run now: the worker lets go of it
    ├── StoreError         the store cannot be opened or written
    ├── EngineUnavailable  the engine is starting, gone or unreachable
    └── TrainingFailed     training could not go on; the last good state is kept

A message is one sentence of what happened and one of what to do. A person sees the message, never a traceback.
"""

from collections.abc import Iterable


class PlaygroundError(Exception):
    """Base of all errors whose message is meant for a person."""


class SpecError(PlaygroundError):
    """An experiment that cannot be run. ``where`` is the dotted path of the field, such as ``training.epochs``."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # Errors travel between processes; the default would lose ``where``.
        return type(self), (str(self), self.where)


class LayerError(SpecError):
    """A layer that does not fit. ``index`` counts from 0 in ``model.layers``; -1 is the output layer."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message, f"model.layers.{index}" if index >= 0 else "model.output")
        self.index = index

    def __reduce__(self) -> tuple[type, tuple[str, int]]:  # type: ignore[override]
        return type(self), (str(self), self.index)


class ModelRefused(PlaygroundError):
    """A model file that is not taken in. ``reasons`` has every one of them as a sentence of its own."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        if len(self.reasons) == 1:
            super().__init__(self.reasons[0])
        else:
            listed = "\n".join(f"– {reason}" for reason in self.reasons)
            super().__init__(f"The file is not taken in, for {len(self.reasons)} reasons:\n{listed}")

    def __reduce__(self) -> tuple[type, tuple[tuple[str, ...]]]:
        return type(self), (self.reasons,)


class DataMissing(PlaygroundError):
    """A data set that is neither in the data folders nor downloadable; the message says which file to put where."""


class NotFound(PlaygroundError):
    """Nothing is kept under this id."""


class NotAllowed(PlaygroundError):
    """The run's state does not allow this."""


class LeaseLost(PlaygroundError):
    """The run is no longer held by this worker."""


class StoreError(PlaygroundError):
    """The store cannot be opened or written."""


class EngineUnavailable(PlaygroundError):
    """No engine answers. Runs still queue; questions have to wait."""


class TrainingFailed(PlaygroundError):
    """Training stopped because it could not go on, for instance at a loss that is not a number."""
