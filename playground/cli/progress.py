"""A run's progress on standard error: one line that redraws itself, or a line an epoch where nobody watches."""

import sys
from types import TracebackType

from playground.displays import words
from playground.records import Point, Run
from playground.store import Store

WIDTH = 24


class Bar:
    """The progress of one run, read from the store at every :meth:`draw`."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._last_row = 0
        self._latest: Point | None = None
        self._redraws = sys.stderr.isatty()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.draw()
        if self._redraws:
            print(file=sys.stderr)

    def draw(self) -> None:
        """Show what the store knows now."""
        points, self._last_row = self._store.points(self._run_id, after=self._last_row)
        self._latest = points[-1] if points else self._latest
        run = self._store.run(self._run_id)
        if self._redraws:
            # \r goes to the start of the line, \x1b[K empties the rest of it.
            print(f"\r{_line(run, self._latest)}\x1b[K", end="", file=sys.stderr, flush=True)
            return
        for point in points:
            if point.kind == "epoch":
                print(_line(run, point), file=sys.stderr, flush=True)

    def say(self, sentence: str) -> None:
        """Put one sentence on a line of its own."""
        print(f"\n{sentence}" if self._redraws else sentence, file=sys.stderr, flush=True)


def _line(run: Run, point: Point | None) -> str:
    """Such as ``epoch 3.5/5 ████▌··· 70%  loss 0.081  accuracy 0.976  83,000 examples/s  0:12 left``."""
    progress = run.progress
    if point is None:
        return progress.phase or str(run.status)
    done = point.step / progress.total_steps if progress.total_steps else 0.0
    bar = "█" * round(done * WIDTH)
    parts = [f"epoch {point.epoch:.4g}/{run.experiment.training.epochs} {bar:·<{WIDTH}} {done:4.0%}"]
    parts += [f"{name} {words.score(value)}" for name, value in point.values.items()]
    if progress.examples_per_second:
        parts.append(f"{words.count(progress.examples_per_second)} examples/s")
    if progress.seconds_left is not None:
        parts.append(f"{words.duration(progress.seconds_left)} left")
    return "  ".join(parts)
