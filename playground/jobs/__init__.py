"""Where work runs: questions to the engine by their names, and the engine's life as the app sees it.

Nothing here imports Keras or, before the first question, Dask.
"""

from playground.jobs.base import CALLS, EngineStatus, Jobs
from playground.jobs.dask import DaskJobs
from playground.jobs.engine import serve, start_engine, stop_engine
from playground.jobs.inline import InlineJobs

__all__ = ["CALLS", "DaskJobs", "EngineStatus", "InlineJobs", "Jobs", "serve", "start_engine", "stop_engine"]
