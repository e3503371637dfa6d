"""Where experiments, runs, points and artifacts are kept, for every process of the playground."""

from playground.store.leases import LeaseWatch
from playground.store.store import Store, open_store

__all__ = ["LeaseWatch", "Store", "open_store"]
