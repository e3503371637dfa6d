"""The tables. Whoever changes them adds a revision to ``migrations/versions``; a test compares the two."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from playground.records import Progress, RunStatus
from playground.spec import DataFacts, Experiment, parse_experiment
from playground.spec.orders import OrderSpec

HEAD = "0003"
"""The newest revision in ``migrations/versions``."""

T = TypeVar("T")


class AsText(sa.TypeDecorator[T]):
    """A value kept as text, by two functions: there and back."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, dumps: Callable[[T], str], loads: Callable[[str], T]) -> None:
        super().__init__()
        self.dumps = dumps
        self.loads = loads

    def process_bind_param(self, value: T | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else self.dumps(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> T | None:
        return None if value is None else self.loads(value)


_order: TypeAdapter[OrderSpec] = TypeAdapter(OrderSpec)

# Experiments are frozen, so readers may share one. Parsing takes 0.1 ms, and 40 viewers ask for the same.
_parsed = lru_cache(maxsize=512)(parse_experiment)

# A loss can be NaN. Python's json writes and reads NaN and Infinity, the JSON columns of PostgreSQL refuse them.
JSON: AsText[Any] = AsText(json.dumps, json.loads)
EXPERIMENT: AsText[Experiment] = AsText(Experiment.dumps, _parsed)
PROGRESS: AsText[Progress] = AsText(
    lambda progress: json.dumps(asdict(progress)), lambda text: Progress(**json.loads(text))
)
FACTS: AsText[DataFacts] = AsText(DataFacts.model_dump_json, DataFacts.model_validate_json)
ORDER: AsText[OrderSpec] = AsText(lambda order: order.model_dump_json(), _order.validate_json)
PLAN: AsText[tuple[tuple[int, str], ...]] = AsText(
    json.dumps, lambda text: tuple((step, variant) for step, variant in json.loads(text))
)
STATUS = sa.Enum(RunStatus, native_enum=False, length=16, values_callable=lambda statuses: [*map(str, statuses)])

metadata = sa.MetaData()

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("experiment", EXPERIMENT, nullable=False),
    sa.Column("saved", sa.Float, nullable=False),
)

shared = sa.Table(
    "shared",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("experiment", EXPERIMENT, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    # Clocks jump; the number says which run is older. Autoincrement: the number of a deleted run never returns.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    # Columns that bear the name of a field of records.Run.
    sa.Column("experiment", EXPERIMENT, nullable=False),
    sa.Column("status", STATUS, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("draft", sa.String(64), nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("progress", PROGRESS, nullable=False, default=Progress()),
    sa.Column("message", sa.Text, nullable=False, default=""),
    sa.Column("plan", PLAN, nullable=False, default=()),
    sa.Column("scores", JSON, nullable=False, default={}),
    sa.Column("facts", JSON, nullable=False, default={}),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    # records.Controls
    sa.Column("stop", sa.Boolean, nullable=False, default=False),
    sa.Column("pause", sa.Boolean, nullable=False, default=False),
    # The queue: a worker holds many small runs; those ahead were here before and go first.
    sa.Column("small", sa.Boolean, nullable=False),
    sa.Column("ahead", sa.Boolean, nullable=False, default=False),
    # The lease: empty while nobody holds the run. The beat grows with every report.
    sa.Column("lease", sa.String(64), nullable=False, default=""),
    sa.Column("holder", sa.String(255), nullable=False, default=""),
    sa.Column("beat", sa.Integer, nullable=False, default=0),
    sa.Column("points", sa.Integer, nullable=False, default=0),  # the number of the last point
    sa.Column("orders", sa.Integer, nullable=False, default=0, server_default="0"),  # the number of the last order
    sa.Column("obeyed", sa.Integer, nullable=False, default=0, server_default="0"),  # up to this one all are settled
    sa.Index("runs_by_status", "status", "number"),
    sa.Index("runs_by_owner", "owner", "number"),
    sa.Index("runs_by_draft", "draft", "number"),
    sqlite_autoincrement=True,
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Float, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("values", JSON, nullable=False),
    sqlite_with_rowid=False,  # one run's points lie side by side, in order: what every viewer reads
)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    # Columns that bear the name of a field of records.Ordered.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("order", ORDER, nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("asked", sa.Float, nullable=False),
    sa.Column("step", sa.Integer),
    sa.Column("refusal", sa.Text, nullable=False, default=""),
    sqlite_with_rowid=False,
)

live = sa.Table(
    "live",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("plan", PLAN, nullable=False),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("file", sa.String(128), nullable=False),  # in the run's folder
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Index("files_by_name", "run", "name", "number"),
    sqlite_autoincrement=True,
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    # Columns that bear the name of a field of records.SavedModel.
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("experiment", EXPERIMENT, nullable=False),
    sa.Column("facts", FACTS, nullable=False),
    sa.Column("epoch", sa.Float, nullable=False),
    sa.Column("parameters", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("scores", JSON, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),  # of the file that has the model's id for a name
    sqlite_autoincrement=True,
)
