"""Executes precompiled SQL on the driver's connection: on hot paths SQLAlchemy's part costs as much again.

SQLAlchemy writes the statement, keeps the connection, and hears of each failure as if it had executed it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class RawStatement:
    """A statement that is always the same; `columns` are those that an insert is to fill, where it does not say so."""

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=columns)
        self._text, self._own_values = str(compiled), compiled.params

    def execute(self, connection: Connection | Session, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
        """Execute it with values as psycopg takes them, JSON as a string; raises SQLAlchemy's DBAPIError."""
        if isinstance(connection, Session):
            connection = connection.connection()
        driver: Any = connection.connection.driver_connection
        try:
            cursor: psycopg.Cursor[Any] = driver.execute(self._text, {**self._own_values, **values})
        except psycopg.Error as error:
            if driver.closed:
                connection.execute(select(1))  # fails, and so SQLAlchemy learns that all its connections may be lost
            raise DBAPIError.instance(
                self._text, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
            ) from error
        return cursor
