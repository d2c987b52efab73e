"""What a function sends to the database, seen where all of it passes: at the driver."""

from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session


def sent_by(engine: Engine, act: Callable[[Session], Any]) -> list[tuple[str, Any]]:
    """Return the statements of `act` with their values. They are undone."""
    statements: list[tuple[str, Any]] = []

    class Keeping(psycopg.Cursor):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            statements.append((query, params))
            return super().execute(query, params, **options)

    with Session(engine) as session:
        driver: Any = session.connection().connection.driver_connection
        driver.cursor_factory = Keeping
        try:
            act(session)
        finally:
            driver.cursor_factory = psycopg.Cursor
    assert statements, "it sent nothing"
    return statements
