"""What people order of a run under way."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("run", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("order", sa.Text, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("asked", sa.Float, nullable=False),
        sa.Column("step", sa.Integer),
        sa.Column("refusal", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.add_column("runs", sa.Column("orders", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("obeyed", sa.Integer, nullable=False, server_default="0"))
