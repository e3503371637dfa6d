"""The history of the schema, run by Alembic through ``playground.store.migrate``.

A new revision is a module in ``versions`` with ``down_revision`` naming the one before; ``schema.HEAD`` names the
newest. A revision that has been released is never edited: classrooms keep their data.
"""
