"""The first schema: drafts, shared experiments, runs with their points and pictures, plans, files."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _experiments()
    _runs()
    op.create_table(
        "points",
        sa.Column("run", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Float, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("values", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "live",
        sa.Column("run", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "plans",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("plan", sa.Text, nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("file", sa.String(128), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("files_by_name", "files", ["run", "name", "number"])


def _experiments() -> None:
    for table, moment in (("drafts", "saved"), ("shared", "created")):
        op.create_table(
            table,
            sa.Column("id", sa.String(64), primary_key=True),
            sa.Column("experiment", sa.Text, nullable=False),
            sa.Column(moment, sa.Float, nullable=False),
        )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("experiment", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("draft", sa.String(64), nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("ended", sa.Float),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("scores", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("stop", sa.Boolean, nullable=False),
        sa.Column("pause", sa.Boolean, nullable=False),
        sa.Column("small", sa.Boolean, nullable=False),
        sa.Column("ahead", sa.Boolean, nullable=False),
        sa.Column("lease", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("status", "owner", "draft"):
        op.create_index(f"runs_by_{column}", "runs", [column, "number"])
