"""Brings a database's schema to the one this code needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

MIGRATING = 7_205_734_185  # the advisory lock under which only one process migrates at a time


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, bound to `connection` where there is one."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Migrate to head. Safe to run twice, and from several processes at once."""
    with engine.begin() as connection:
        connection.exec_driver_sql("set local lock_timeout = '60s'")
        connection.exec_driver_sql("set local statement_timeout = '10min'")
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATING})")
        command.upgrade(alembic_config(connection), "head")
