"""What those who watch a run are told, as bytes that a browser reads: whole frames, and news since another one.

A frame is ``uint32 header length (little-endian) | UTF-8 JSON header | payloads one after the other``. The header::

    {"whole": true,                     all there is, or only what is new
     "run": {"id", "status", "step", "total_steps", "epoch", "epochs", "rate", "examples_per_second", "seconds_left",
             "memory", "gpu", "gpu_memory", "phase", "message", "says", "pause", "stop", "attempt",
             "orders": [{"number", "kind", "says", "step", "refusal"}, …]},
     "points": [[step, epoch, kind, {name: value}], …],
     "marks": [[epoch, label], …],      where something began
     "summaries": {name: sentence},     what the curves show, in words
     "pictures": [{"name", "step", "bytes"}, …]}

What is not a finite number is null.
"""

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from playground.displays import orders, words
from playground.displays.curves import Marks
from playground.records import Ordered, Point, Run, RunStatus

MOST_POINTS = 3_000
"""More than these no chart shows; older ones are thinned."""
MOST_ORDERS = 8
"""The newest ones are told."""

Pictures = Mapping[str, tuple[int, bytes]]
"""Small pictures of a live run by name: step and bytes."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of a run.

    Args:
        run: the run.
        points: in order, thinned where they are many.
        course: how often the points began anew: where a run is resumed, rewound or thinned, older ones do not go on.
        pictures: the newest of each name.
        ordered: the newest orders.
        position: in the queue, 1 is next; None when it does not wait.
        marks: what else is marked on its curves, such as stages.
        summaries: what its curves show, by metric.
    """

    run: Run
    points: Sequence[Point] = ()
    course: int = 0
    pictures: Pictures = field(default_factory=dict)
    ordered: tuple[Ordered, ...] = ()
    position: int | None = None
    marks: Marks = ()
    summaries: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def whole(self) -> bytes:
        """A frame of everything there is."""
        return _packed(self, self.points, self.pictures, is_whole=True)

    def news(self, before: "Moment") -> bytes | None:
        """A frame of what is new since ``before``; of everything where the points began anew; None if nothing is."""
        if self is before:
            return None
        if (self.run.id, self.course) != (before.run.id, before.course):
            return self.whole
        pictures = {name: new for name, new in self.pictures.items() if new != before.pictures.get(name)}
        points = since(self.points, before.points)
        is_told = (self.run, self.position, self.ordered) == (before.run, before.position, before.ordered)
        return None if is_told and not points and not pictures else _packed(self, points, pictures, is_whole=False)


def since(points: Sequence[Point], before: Sequence[Point]) -> Sequence[Point]:
    """Those that come after the last one of ``before``. Points are ordered by step, a decision after its last chunk."""
    if not before:
        return points
    last, at = _place(before[-1]), len(points)
    while at and _place(points[at - 1]) > last:
        at -= 1
    return points[at:]


def _place(point: Point) -> tuple[int, bool]:
    return point.step, point.kind == "epoch"


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> Sequence[Point]:
    """At most ``most`` points (and one), those between decisions and decisions each evenly chosen.

    The first, the last and the one with the lowest validation loss are among them.
    """
    if len(points) <= most:
        return points
    is_decision = np.array([point.kind == "epoch" for point in points])
    losses = np.array([point.values.get("val_loss", math.nan) for point in points])
    chosen = [0, len(points) - 1, *([int(np.nanargmin(losses))] if np.isfinite(losses).any() else [])]
    for kind in (is_decision, ~is_decision):
        places = np.flatnonzero(kind)
        room = (most - 2) * len(places) // len(points)
        chosen += places[np.linspace(0, len(places) - 1, room).round().astype(int)].tolist() if room else []
    return [points[at] for at in sorted(set(chosen))]


def epochs_in_all(run: Run) -> int:
    """How many epochs the run will have seen at its end: with those of the base that it goes on from."""
    return run.progress.epochs or run.experiment.training.epochs


def progress_in_words(run: Run, position: int | None = None) -> str:
    """What a run does, or how it ended."""
    progress = run.progress
    epoch = f"epoch {int(progress.epoch):,} of {epochs_in_all(run):,}"
    if run.status is RunStatus.QUEUED:
        place = f"Number {position} in the queue." if position else "Waiting to go on."
        return f"{place} {run.message}".strip()
    if run.status.is_live:
        left = f", {words.duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
        verb = "Paused" if run.status is RunStatus.PAUSED else (progress.phase or "starting").capitalize()
        if run.controls.stop:
            asked = ", stopping"
        elif run.controls.pause and run.status is RunStatus.RUNNING:
            asked = ", pausing"
        else:
            asked = ""
        return f"{verb}: {epoch}{left}{asked}."
    took = f" Took {words.duration(run.ended - run.started)}." if run.ended and run.started else ""
    said = _ENDED[run.status].format(epoch=epoch)
    if run.message.startswith(said.split()[0]):
        said = ""  # the message says it itself
    return f"{said} {run.message}{took}".strip()


_ENDED = {
    RunStatus.DONE: "Done.",
    RunStatus.STOPPED: "Stopped at {epoch}.",
    RunStatus.FAILED: "Failed at {epoch}.",
    RunStatus.INTERRUPTED: "Interrupted at {epoch}.",
}
"""How a run ended; its message, where it has one, says why."""


def _packed(now: Moment, points: Iterable[Point], pictures: Pictures, *, is_whole: bool) -> bytes:
    header = {
        "whole": is_whole,
        "run": _run(now),
        "points": [
            [point.step, _number(point.epoch), point.kind, {name: _number(v) for name, v in point.values.items()}]
            for point in points
        ],
        "marks": [*now.marks, *orders.marks(now.ordered, now.points, now.run.progress.step)],
        "summaries": dict(now.summaries),
        "pictures": [{"name": name, "step": step, "bytes": len(data)} for name, (step, data) in pictures.items()],
    }
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *(data for _, data in pictures.values())])


def _run(now: Moment) -> dict[str, Any]:
    run, progress = now.run, now.run.progress
    return {
        "id": run.id,
        "status": run.status.value,
        "step": progress.step,
        "total_steps": progress.total_steps,
        "epoch": _number(progress.epoch),
        "epochs": epochs_in_all(run),
        "rate": _number(progress.rate),
        "examples_per_second": _number(progress.examples_per_second),
        "seconds_left": _number(progress.seconds_left),
        "memory": progress.memory,
        "gpu": _number(progress.gpu),
        "gpu_memory": progress.gpu_memory,
        "phase": progress.phase,
        "message": run.message,
        "says": progress_in_words(run, now.position),
        "pause": run.controls.pause,
        "stop": run.controls.stop,
        "attempt": run.attempt,
        "orders": [
            {
                "number": order.number,
                "kind": order.order.kind,
                "says": orders.says(order),
                "step": order.step,
                "refusal": order.refusal,
            }
            for order in now.ordered[-MOST_ORDERS:]
        ],
    }


def _number(value: float | None) -> float | None:
    """Six significant digits, more than any screen shows; None for what is not finite."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None
