"""Runs the migrations that bring a database's schema to the one this code needs."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from shared.migrations.head import is_later, version
from shared.migrations.roles import Login, apply_roles

MIGRATING = 7_205_734_185  # the advisory lock under which only one process migrates at a time


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, bound to `connection` where there is one."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, wanted: Sequence[Login] = ()) -> str | None:
    """Migrate to head, and grant the database roles what they may do. Safe to run twice, and by several at once.

    `wanted` are the logins that are to have a role; it raises RolesError where they cannot be made.

    Returns the revision of a schema that is later than head, which is left as it is; else None.
    """
    with engine.begin() as connection:
        connection.exec_driver_sql("set local lock_timeout = '60s'")
        connection.exec_driver_sql("set local statement_timeout = '10min'")
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATING})")
        found = version(connection)
        if found is not None and is_later(found):
            return found
        command.upgrade(alembic_config(connection), "head")
        apply_roles(connection, wanted)
    return None
