"""What the whole process shares."""

import functools

from playground.jobs import DaskJobs, start_engine
from playground.lab import Lab
from playground.settings import Settings
from playground.store import open_store


@functools.cache
def lab() -> Lab:
    """The one laboratory of this process, made when it is first needed.

    Raises:
        StoreError: the store cannot be opened.
        SpecError: a setting cannot be read.
    """
    settings = Settings()
    return Lab(open_store(settings.database, settings.artifacts), DaskJobs(settings, revive=True), settings)


def engine() -> None:
    """Make sure that an engine lives or is about to; raises as :func:`lab` does."""
    start_engine(Settings())
