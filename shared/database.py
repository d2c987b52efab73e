"""Opens the database: one engine a process, with limits that keep a stuck server from holding anybody."""

import orjson
from sqlalchemy import Engine, make_url
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.orm import Session, sessionmaker

from shared.settings import Settings

Sessions = sessionmaker[Session]

LIMITS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}


def create_engine(settings: Settings, *, pool_size: int = 4) -> Engine:
    """Return an engine for `settings.database_url`; nothing connects before the first query."""
    return sqlalchemy_engine(
        make_url(settings.database_url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=3,  # seconds; a request that gets no connection answers 503 instead of queueing for ever
        pool_pre_ping=True,  # a restarted server costs one ping, not one failed request a connection
        hide_parameters=True,  # an answer never reaches a log through an exception
        json_serializer=_json,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 3,
            "tcp_user_timeout": 5000,  # milliseconds; a vanished server is noticed
            "application_name": "psoas",
            "options": " ".join(f"-c {name}={value}" for name, value in LIMITS.items()),
        },
    )


def create_sessions(engine: Engine) -> Sessions:
    """Return the factory whose `begin()` opens the transaction where the reader sees it."""
    return sessionmaker(engine, expire_on_commit=False)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
