"""What people do with a run while it is under way: pause it, go on, and change what comes."""

from playground.records import Ordered, Run
from playground.spec.orders import OrderSpec, Rewind
from playground.store import Store


class Steering:
    """One for the whole process; all methods may be called from any thread.

    Args:
        store: where runs and their orders are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def order(self, run_id: str, order: OrderSpec, owner: str = "") -> Ordered:
        """Give an order to a run; whoever gives the last one has the last word, and all see all of them.

        Raises:
            NotAllowed: the run is over.
        """
        return self._store.order(run_id, order, owner=owner)

    def orders(self, run_id: str) -> list[Ordered]:
        """All orders to a run, in order, with what became of them."""
        return self._store.orders(run_id)

    def pause(self, run_id: str) -> Run:
        """Ask a run to pause; it holds its place for a minute, and whatever it has learned."""
        return self._store.request(run_id, pause=True)

    def go_on(self, run_id: str) -> Run:
        """Let a paused run go on."""
        return self._store.request(run_id, pause=False)

    def rewind(self, run_id: str, epoch: int, owner: str = "") -> Ordered:
        """Take a run back to a kept epoch. One that is over comes back paused.

        Raises:
            NotAllowed: it went on meanwhile.
        """
        if self._store.run(run_id).status.is_over:
            self._store.resume(run_id, paused=True)
        return self._store.order(run_id, Rewind(epoch=epoch), owner=owner)
