"""Alembic's entry: runs the migrations on the connection it was handed."""

from alembic import context
from sqlalchemy import Connection

from shared.migrations.head import TABLE_OF_0_1_0, VERSION_TABLE
from shared.migrations.release_before import take_over, tell_release_before
from shared.tables import Table

connection: Connection = context.config.attributes["connection"]
take_over(connection)
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    compare_server_default=True,
    version_table=VERSION_TABLE,
    include_name=lambda name, kind, _parents: (kind, name) != ("table", TABLE_OF_0_1_0),
)
with context.begin_transaction():
    context.run_migrations()
tell_release_before(connection)
