"""What happened: runs, their states and their points. Frozen records without I/O; change is a call to the store."""

from dataclasses import dataclass, field
from enum import StrEnum

from playground.errors import NotAllowed
from playground.spec import DataFacts, Experiment
from playground.spec.orders import OrderSpec
from playground.spec.saved import Saved


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"

    @property
    def is_live(self) -> bool:
        """A worker holds it now."""
        return self in (RunStatus.RUNNING, RunStatus.PAUSED)

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it unless somebody resumes it."""
        return self in (RunStatus.DONE, RunStatus.FAILED, RunStatus.INTERRUPTED, RunStatus.STOPPED)


class Event(StrEnum):
    """What can happen to a run."""

    CLAIM = "claim"  # a worker takes it from the queue
    PAUSE = "pause"
    CONTINUE = "continue"  # after a pause, in the same slot
    YIELD = "yield"  # paused for long: the slot is given up, the run goes to the head of the queue when resumed
    FINISH = "finish"
    FAIL = "fail"
    LOSE = "lose"  # its worker is gone
    STOP = "stop"
    RESUME = "resume"  # back into the queue from where it stopped


_NEXT: dict[tuple[RunStatus, Event], RunStatus] = {
    (RunStatus.QUEUED, Event.CLAIM): RunStatus.RUNNING,
    (RunStatus.QUEUED, Event.STOP): RunStatus.STOPPED,
    (RunStatus.RUNNING, Event.PAUSE): RunStatus.PAUSED,
    (RunStatus.PAUSED, Event.CONTINUE): RunStatus.RUNNING,
    (RunStatus.PAUSED, Event.YIELD): RunStatus.QUEUED,
    **{
        (live, event): after
        for live in (RunStatus.RUNNING, RunStatus.PAUSED)
        for event, after in (
            (Event.FINISH, RunStatus.DONE),
            (Event.FAIL, RunStatus.FAILED),
            (Event.LOSE, RunStatus.INTERRUPTED),
            (Event.STOP, RunStatus.STOPPED),
        )
    },
    **{
        (over, Event.RESUME): RunStatus.QUEUED
        for over in (RunStatus.DONE, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED)
    },
}


def advance(status: RunStatus, event: Event) -> RunStatus:
    """The state after an event: every change of state that is allowed, and no other.

    Raises:
        NotAllowed: the event cannot happen in this state.
    """
    try:
        return _NEXT[status, event]
    except KeyError:
        raise NotAllowed(f"A run that is {status} cannot {event}.") from None


@dataclass(frozen=True, slots=True)
class Point:
    """Scores at one step of a run.

    ``kind`` is "chunk" for a live point between decisions (training means of the steps since the last point) or
    "epoch" for a decision: training means since the last decision, as Keras reports them, and ``val_…`` scores.
    """

    step: int
    epoch: float
    """Epochs seen, as a fraction."""
    kind: str
    values: dict[str, float]
    """Names as Keras's: ``loss``, ``accuracy``, ``val_loss`` …; NaN and infinity are possible."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; written by its worker with every report."""

    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    epochs: int = 0
    """How many there will be at its end, those of a base that it goes on from counted in; 0 before it is known."""
    examples_per_second: float = 0.0
    """Training examples, over the last few seconds."""
    seconds_left: float | None = None
    phase: str = ""
    """loading, building, training, finishing, judging; empty when nothing runs."""
    rate: float | None = None
    """The present learning rate."""
    memory: int = 0
    """Bytes that the worker's process holds in memory; 0 where nobody measured."""
    gpu: float | None = None
    """Share of the last moments in which the GPU computed, from 0 to 1; None where there is none to be asked."""
    gpu_memory: int = 0
    """Bytes of the GPU's memory that are taken, by whomever."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What people ask of a run while it is live; read by its worker at every rest."""

    stop: bool = False
    pause: bool = False
    orders: int = 0
    """The number of the newest order; 0 before the first."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order to a run, and what became of it. Orders stay with their run: they belong to how it came about."""

    number: int
    """Of the run's orders, from 1."""
    order: OrderSpec
    owner: str
    """Who gave it."""
    asked: float
    """Seconds since 1970."""
    step: int | None = None
    """From which step on it holds; None while it waits."""
    refusal: str = ""
    """One sentence where it was not obeyed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training of one experiment. A detached record: it does not change and knows no store."""

    id: str
    experiment: Experiment
    status: RunStatus
    created: float
    """Seconds since 1970, as are the others; None until it happened."""
    owner: str = ""
    draft: str = ""
    """The draft from which it was launched."""
    started: float | None = None
    ended: float | None = None
    progress: Progress = Progress()
    controls: Controls = Controls()
    message: str = ""
    """One sentence about how it ended, or what it waits for."""
    plan: tuple[tuple[int, str], ...] = ()
    """Which variant of the loop ran from which step on, such as ``((0, "plain"), (4096, "xla"))``."""
    scores: dict[str, float] = field(default_factory=dict)
    """Final scores: ``loss``, ``accuracy``, ``val_…``, ``test_…``."""
    facts: dict[str, object] = field(default_factory=dict)
    """Versions, device, seconds (load, build, first_metric, train), parameters, ``class_weights``; ``best``: the best
    epoch's ``epoch``, ``monitor``, ``value``, and whether its weights were ``restored``; of a run that began with saved
    weights also what became of them: ``before``, ``stages``, ``head``, ``weights_changed``, ``old_task``,
    ``may_have_seen``."""
    attempt: int = 0
    """How many times it was claimed."""

    @property
    def best_epoch(self) -> int | None:
        """The best epoch, whose weights are kept; None before the end, or where no epoch ended."""
        best = self.facts.get("best")
        return int(best["epoch"]) if isinstance(best, dict) and best else None


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One row of a network's description, as Keras built it."""

    id: str
    kind: str
    output_shape: tuple[int, ...]
    """Of one example, without the batch axis."""
    parameters: int
    trainable: int
    flops: int
    """Floating point operations for one example, forward (a multiply-add counts 2)."""
    bytes: int
    """Of the outputs of one example, float32."""


@dataclass(frozen=True, slots=True)
class Description:
    """What Keras says of a network: a row a layer, the output layer last; or the error and where it is.

    With an ``error``, ``rows`` holds the layers before the one at fault, and ``error_index`` its index in
    ``model.layers`` (-1: the output layer; None: the error belongs to no layer, see ``error_where``).
    """

    rows: tuple[LayerRow, ...] = ()
    parameters: int = 0
    trainable: int = 0
    flops: int = 0
    memory: int = 0
    """Bytes needed while training: weights, gradients, optimizer slots, activations of one batch."""
    error: str = ""
    error_index: int | None = None
    error_where: str = ""


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A model of the library: a network of our own catalogue with its weights, from a run or from an uploaded file."""

    id: str
    name: str
    created: float
    """Seconds since 1970."""
    origin: str
    """"run" or "upload"."""
    source: str
    """Id of the run, or name of the file."""
    experiment: Experiment
    """Its network is ``experiment.model``. The data is the set it was trained on; for an upload, a known set whose
    examples have its input's shape and as many classes, if there is one (see ``facts``)."""
    facts: DataFacts
    """Input shape, task and class names, as the network was built for; sizes are 0 for an upload."""
    epoch: float = 0.0
    """Epochs that its weights have seen; 0 for an upload, where nobody knows."""
    parameters: int = 0
    bytes: int = 0
    """Of its weights."""
    scores: dict[str, float] = field(default_factory=dict)
    note: str = ""
    """What was assumed or left out while it was taken in; one sentence each."""
    owner: str = ""
    """Who took it in, or started the run."""

    @property
    def saved(self) -> Saved:
        """Names its weights, the newest ones of a run."""
        return Saved(run=self.source) if self.origin == "run" else Saved(model=self.id)
