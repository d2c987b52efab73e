"""Creates database engines, each a connection pool with timeouts, so that a stuck server blocks no caller for long."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from sqlalchemy import Engine, NullPool, event, make_url
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from shared.platform.settings import Settings
from shared.platform.timeouts import ping
from shared.platform.tracing.traces import traced_cursor

Sessions = sessionmaker[Session]

LIMITS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
# Nothing that is asked all the time reads a whole table. The planner would, while it takes a table for a small one:
# a check of a foreign key is planned once, and read all referrals for each event until the next ANALYZE.
PLANNER_SETTINGS = {"enable_seqscan": "off", "max_parallel_workers_per_gather": "0"}
REST_SECONDS = 1.0  # a connection that was not used for longer is asked first whether its server is still there


def create_engine(
    settings: Settings,
    *,
    pool_size: int = 4,
    pool_timeout: float = 3,
    autocommit: bool = False,
    limits: Mapping[str, str] = LIMITS,
) -> Engine:
    """Return an engine for `settings.database_url`; nothing connects before the first query.

    With a `pool_size` of 0 it keeps no connection between two uses.
    With `autocommit` each statement is a transaction of its own: one round trip instead of three.
    """
    pool: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_use_lifo": True,  # the one used last has its statements prepared, and has not rested
        "pool_timeout": pool_timeout,  # seconds; a request that gets no connection answers 503 instead of queueing
    }
    engine = sqlalchemy_engine(
        make_url(settings.database_url).set(drivername="postgresql+psycopg"),
        **(pool if pool_size else {"poolclass": NullPool}),
        isolation_level="AUTOCOMMIT" if autocommit else None,
        pool_reset_on_return=None if autocommit else "rollback",
        skip_autocommit_rollback=True,  # there is nothing to roll back where each statement is a transaction
        hide_parameters=True,  # an answer never reaches a log through an exception
        json_serializer=_json,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 3,
            "tcp_user_timeout": 5000,  # milliseconds; a vanished server is noticed
            "application_name": "psoas",
            **traced_cursor(settings),
            "options": " ".join(f"-c {name}={value}" for name, value in {**limits, **PLANNER_SETTINGS}.items()),
        },
    )
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", _ping_after_idle)
    return engine


def create_sessions(engine: Engine, settings: Settings | None = None) -> Sessions:
    """Return the factory whose `begin()` opens the transaction where the reader sees it.

    With `settings`, API keys that its sessions issue are sealed by their CHAIN_KEY.
    """
    return sessionmaker(engine, expire_on_commit=False, info={"chain_key": settings.chain_key} if settings else None)


def transactions(statements: Engine) -> Sessions:
    """Return a factory of transactions on the connections of an engine whose statements are each one of their own."""
    return create_sessions(statements.execution_options(isolation_level="READ COMMITTED"))


@contextmanager
def autocommit(sessions: Sessions) -> Iterator[Session]:
    """Open a session in which each statement is a transaction of its own: one round trip instead of three.

    What is asked often is prepared, too; the ROLLBACK at the end of a transaction that only read would forget that.
    """
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield session


def _rest(_connection: Any, record: Any) -> None:
    record.info["resting_since"] = time.monotonic()


def _ping_after_idle(connection: Any, record: Any, _proxy: Any) -> None:
    """Let a restarted server cost one question, not one failed request a connection."""
    since = record.info.get("resting_since")
    if since is None or time.monotonic() - since < REST_SECONDS:
        return
    try:
        ping(connection)
    except psycopg.Error:
        raise InvalidatePoolError from None


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
