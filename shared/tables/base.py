"""What the tables share: types, predictable constraint names, and how conditions are said."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, LargeBinary, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that `column` is one of `values`."""
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def apart(column: str) -> str:
    """Return the value of the text `column`, said so that the planner knows nothing of it.

    What it knows is a minute old. While statistics say that no row has a status, the planner takes every partial index
    of that status for an empty one, and may walk all of one that does not lead anywhere. Of an expression it has no
    statistics: it assumes one row in 200, and takes the index that leads to those that are asked for.
    """
    return f"{column} || ''"


class Table(DeclarativeBase):
    """What the tables share: predictable constraint names, by which a violation is recognised."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        bytes: LargeBinary,
    }
