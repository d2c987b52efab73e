"""Lets release 0.1.0 run on a later schema, while this release is rolled forward and after it was rolled back.

Release 0.1.0 is ready, and its `migrate` ends well, only where `alembic_version` holds its own head. So this release
keeps its version in a table of its own. The next release, beside which 0.1.0 need not run, drops the old table.
"""

from sqlalchemy import Connection, inspect

from shared.migrations.head import HEAD_OF_0_1_0, TABLE_OF_0_1_0, VERSION_TABLE


def take_over(connection: Connection) -> None:
    """Begin the table of versions with what the table of release 0.1.0 says, if only that is there."""
    tables = inspect(connection)
    if tables.has_table(TABLE_OF_0_1_0) and not tables.has_table(VERSION_TABLE):
        connection.exec_driver_sql(f"create table {VERSION_TABLE} (like {TABLE_OF_0_1_0} including all)")
        connection.exec_driver_sql(f"insert into {VERSION_TABLE} select * from {TABLE_OF_0_1_0}")  # noqa: S608 - constants


def tell_release_before(connection: Connection) -> None:
    """Write the version into the table of release 0.1.0, but none that comes after its head."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return
    connection.exec_driver_sql(f"create table if not exists {TABLE_OF_0_1_0} (like {VERSION_TABLE} including all)")
    connection.exec_driver_sql(f"delete from {TABLE_OF_0_1_0}")  # noqa: S608 - constants
    connection.exec_driver_sql(
        f"insert into {TABLE_OF_0_1_0} select least(version_num, '{HEAD_OF_0_1_0}' collate \"C\") from {VERSION_TABLE}"  # noqa: S608 - constants
    )
