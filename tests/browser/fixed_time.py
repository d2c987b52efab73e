"""A time that stands still, for the application and for its database, so that pictures are the same each time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import Engine, text
from werkzeug.serving import make_server

from services.api.app import create_app
from services.api.context import EXTENSION
from shared.platform.settings import Settings
from tests.browser.conftest import Silent

NOW = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)
CLOCK = (
    "create or replace function fixed.now() returns timestamptz language sql stable as $$ select timestamptz '{}' $$"
)
# Before the tables are made, so that their defaults call it, too.
RANDOM = "create function fixed.gen_random_uuid() returns uuid language sql volatile as $$ select {} $$"
OWN_CLOCK = (
    "create schema fixed",
    CLOCK.format(NOW),
    "create sequence fixed.steps",
    RANDOM.format("cast(md5(cast(nextval('fixed.steps') as text)) as uuid)"),  # references are made of these
    "alter database psoas set search_path = public, fixed, pg_catalog",
)


class Time:
    """The time for the application and for its database; it stands still until it is set."""

    def __init__(self, engine: Engine) -> None:
        """Begin at NOW."""
        self._engine, self.now = engine, NOW
        with engine.begin() as connection:
            for statement in OWN_CLOCK:
                connection.execute(text(statement))

    def set(self, moment: datetime) -> None:
        """Let it be `moment`."""
        self.now = moment
        with self._engine.begin() as connection:
            connection.execute(text(CLOCK.format(moment)))


@contextmanager
def console(settings: Settings, time: Time) -> Iterator[tuple[str, Flask]]:
    """Serve the console by that time."""
    app = create_app(settings, now=lambda: time.now)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", app
    finally:
        server.shutdown()
        thread.join()
        app.extensions[EXTENSION].close()
