"""What the whole process shares."""

import functools

from playground.jobs import DaskJobs
from playground.lab import Lab
from playground.settings import Settings
from playground.store import open_store


@functools.cache
def lab() -> Lab:
    """The one laboratory of this process, made when it is first needed.

    Raises:
        StoreError: the store cannot be opened.
    """
    settings = Settings()
    return Lab(open_store(settings.database, settings.artifacts), DaskJobs(settings, revive=True), settings)
