"""Alembic's entry: runs the migrations on the connection it was handed."""

from alembic import context

from shared.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
