"""The order of the queue, in one statement."""

from typing import Any

from sqlalchemy import Select, func, select

from playground.records import RunStatus
from playground.store.rows import LIVE
from playground.store.schema import runs


def waiting(small: bool | None = None) -> Select[Any]:
    """Ids of the runs that wait for a slot, the next one first.

    First those that were here before. Then by load, so that nobody waits behind all runs of another: an owner's first
    queued run has a load of as many runs as they have live, their second one more, and so on. Then the oldest. A paused
    run does not wait, unless there is an order that its worker has to carry out.

    Args:
        small: only small runs, or only large ones.
    """
    live = (
        select(runs.c.owner, func.count().label("count"))
        .where(runs.c.status.in_(LIVE))
        .group_by(runs.c.owner)
        .subquery("live")
    )
    place = func.row_number().over(partition_by=runs.c.owner, order_by=[runs.c.ahead.desc(), runs.c.number])
    load = func.coalesce(live.c.count, 0) + place
    statement = (
        select(runs.c.id)
        .outerjoin(live, live.c.owner == runs.c.owner)
        .where(runs.c.status == RunStatus.QUEUED, runs.c.pause.is_(False) | (runs.c.orders > runs.c.obeyed))
        .order_by(runs.c.ahead.desc(), load, runs.c.number)
    )
    return statement if small is None else statement.where(runs.c.small.is_(small))
