"""Says whether a database's schema is the one this code needs.

Without Alembic: every process that serves is asked, and would keep 7 MB for the answer.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

# A migration's file is named after its revision, and the history is one line.
HEAD = max(file.stem for file in (Path(__file__).parent / "versions").glob("[0-9]*.py")).partition("_")[0]

_TABLE = "alembic_version"
_CURRENT = text(f"select version_num from {_TABLE}")  # noqa: S608 - a constant


def at_head(connection: Connection) -> bool:
    """Say whether the schema is at HEAD."""
    return inspect(connection).has_table(_TABLE) and connection.scalars(_CURRENT).all() == [HEAD]
