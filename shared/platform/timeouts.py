"""Client-side timeouts and a circuit breaker for a database server that is frozen: it accepts data and never answers.

Neither the server's own limits nor those of TCP help then: without this module a request waits until the server is
thawed. After one failed connection, one caller at a time probes the server and the others fail at once: otherwise each
of them would hold a thread until its timeout.
"""

import threading
from typing import Any

import psycopg
from psycopg.errors import OperationalError
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

BEGIN_SECONDS = 1.0  # for a question that costs a server nothing
ANSWER_SECONDS = 4.0  # for anything else
STATEMENT_SECONDS = 3.0  # after which the server ends a statement: before the client takes the server for lost
CONNECT_SECONDS = 2  # whole ones, says libpq
POLL_SECONDS = 0.1


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server takes too long, and so counts as lost."""

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = POLL_SECONDS, timeout: float | None = None) -> Any:
        """Wait as psycopg does, but not for ever; raises OperationalError."""
        try:
            return super().wait(gen, interval, timeout or self.answer_seconds)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # the answer is still to come
                self.close()
            raise


def ping(connection: psycopg.Connection[Any]) -> None:
    """Ask the server whether it is there, outside any transaction; raises psycopg's Error."""
    before = connection.autocommit
    connection.autocommit = True  # one round trip
    if isinstance(connection, TimeoutConnection):
        connection.answer_seconds = BEGIN_SECONDS
    connection.execute("select 1")
    if isinstance(connection, TimeoutConnection):
        connection.answer_seconds = ANSWER_SECONDS
    connection.autocommit = before


class CircuitBreaker:
    """Circuit breaker for connecting: after one failure, one caller probes the server and the others fail at once.

    It stays beside the bulkhead's probing: the bulkhead bounds forms alone, this also reads, workers and the watchman.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._probing = False

    def connect_or_fail(self, *arguments: Any, **parameters: Any) -> psycopg.Connection[Any]:
        """Return a new connection; raises OperationalError, at once while it is open and another caller probes."""
        with self._lock:
            if self._open and self._probing:
                raise OperationalError("circuit breaker is open: the server does not answer")
            self._probing = True
        failed = True
        try:
            connection = TimeoutConnection.connect(*arguments, **parameters)
            failed = False
        finally:
            with self._lock:
                self._open, self._probing = failed, False
        return connection


def install_client_timeouts(engine: Engine) -> None:
    """Let every connection that `engine` opens from now on be a TimeoutConnection.

    The server has the shorter limit: a slow statement ends there with an error, and its connection is used again.
    """
    breaker = CircuitBreaker()
    limit = f"-c statement_timeout={STATEMENT_SECONDS * 1000:.0f}"  # milliseconds; the last one given counts

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> psycopg.Connection[Any]:
        options = f"{parameters.get('options', '')} {limit}"
        return breaker.connect_or_fail(
            *arguments, **{**parameters, "options": options, "connect_timeout": CONNECT_SECONDS}
        )
