"""Opens the database for a command, with a message for people where that fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from shared.platform.database import Sessions, create_engine, create_sessions
from shared.platform.settings import Settings


@contextmanager
def database(settings: Settings) -> Iterator[tuple[Engine, Sessions]]:
    """Yield the engine and the sessions of the database."""
    engine = create_engine(settings)
    try:
        yield engine, create_sessions(engine, settings)
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(f"the database: {str(error.orig).splitlines()[0]}") from None
    finally:
        engine.dispose()
