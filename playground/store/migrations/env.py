"""What Alembic runs: the migrations, in the transaction of the connection that was handed over."""

from alembic import context

from playground.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table: batch operations copy it
)
with context.begin_transaction():
    context.run_migrations()
