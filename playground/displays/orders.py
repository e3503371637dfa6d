"""Orders to a run in words: for its log, and for the marks on its curves."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from playground.displays import words
from playground.displays.curves import Marks
from playground.records import Ordered, Point


def _frozen(order: Any) -> str:
    return f"{', '.join(order.layers)} frozen" if order.layers else "All layers learn"


def _weight(order: Any) -> str:
    place = ", ".join(map(str, order.index))
    return f"{order.layer} {order.variable}[{place}] = {order.value:.4g}"


SAYS: dict[str, Callable[[Any], str]] = {
    "rate": lambda order: f"Learning rate {order.learning_rate:.4g}",
    "batch_size": lambda order: "Full batches" if order.batch_size == "full" else f"Batches of {order.batch_size:,}",
    "epochs": lambda order: f"{order.epochs:,} epochs in all",
    "freeze": _frozen,
    "step": lambda order: words.plural(order.count, "epoch" if order.unit == "epoch" else "step"),
    "rewind": lambda order: f"Back to epoch {order.epoch:,}",
    "weight": _weight,
    "speed": lambda order: (
        f"At most {order.epochs_per_second:g} epochs a second" if order.epochs_per_second else "As fast as possible"
    ),
}
"""What an order asks for, by its kind."""

MARKED = frozenset({"rate", "batch_size", "freeze"})
"""Kinds that change what is learned, and so the course of the curves."""


def says(ordered: Ordered) -> str:
    """What was asked for, in a few words."""
    return SAYS[ordered.order.kind](ordered.order)


def marks(orders: Iterable[Ordered], points: Iterable[Point], step: int) -> Marks:
    """Where orders took effect.

    Args:
        orders: to the run.
        points: of the run; they tell to which epoch a step belongs.
        step: where the run is; what held from a later one on was taken back by a rewind.
    """
    held = [
        order for order in orders
        if order.order.kind in MARKED and not order.refusal and order.step is not None and order.step <= step
    ]  # fmt: skip
    if not held:
        return ()
    steps, epochs = zip((0, 0.0), *((point.step, point.epoch) for point in points), strict=True)
    at = np.interp([order.step or 0 for order in held], steps, epochs)
    return tuple((float(epoch), says(order)) for epoch, order in zip(at, held, strict=True))
