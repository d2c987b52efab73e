"""Checks whether this code can work on a database's schema.

Without Alembic: every process that serves is asked, and would keep 7 MB for the answer.
"""

from pathlib import Path

from sqlalchemy import Connection, text

# A migration's file is named after its revision, and the history is one line.
HEAD = max(file.stem for file in (Path(__file__).parent / "versions").glob("[0-9]*.py")).partition("_")[0]

VERSION_TABLE = "schema_version"
# Release 0.1.0 is ready where this table names its own head and nothing else, so it names that also on later schemas.
TABLE_OF_0_1_0, HEAD_OF_0_1_0 = "alembic_version", "0006"

_EXISTS = text("select to_regclass(:name) is not null")


def version(connection: Connection) -> str | None:
    """Return the revision that the schema is at; None where there is none."""
    for table in (VERSION_TABLE, TABLE_OF_0_1_0):  # before the first migration of this release there is only the second
        if connection.scalar(_EXISTS, {"name": table}):
            found: str | None = connection.scalar(text(f"select max(version_num) from {table}"))  # noqa: S608 - constant
            return found
    return None


def at_head_or_later(connection: Connection) -> bool:
    """Say whether the schema is at HEAD, or where a later release left it: migrations only add within a release."""
    found = version(connection)
    return found is not None and (found == HEAD or is_later(found))


def is_later(revision: str) -> bool:
    """Say whether a revision comes after HEAD. Revisions are numbers of four digits, so they sort as text."""
    return revision[:4].isdigit() and revision > HEAD
