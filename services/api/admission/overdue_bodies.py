"""Reads a body until a deadline, and ends the connection of a body that is overdue.

The server's `read` waits as long as the sender likes and cannot be interrupted, so a thread of its own waits there, and
the thread of the request waits for it until the deadline. Then it answers with a length of one byte more than it
sends. The server has to close a connection whose answer is incomplete, and that ends the read. After a complete answer
it would keep the connection until the sender closes it.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait

import structlog
from flask import Flask, Response

from services.api.admission.body_limits import Allowance
from services.api.http import problems
from services.api.http.problems import ProblemError

CLOSE_SECONDS = 0.5  # for the answer to leave before its connection is closed

log = structlog.get_logger(__name__)


class OverdueError(Exception):
    """A body did not arrive in time, and is still being read."""

    def __init__(self, reading: Future[bytes], problem: ProblemError) -> None:
        """Keep what still reads it, and what to answer."""
        self.reading, self.problem = reading, problem
        super().__init__(problem.detail)


def register(app: Flask) -> None:
    """Answer overdue bodies so that their connections end."""
    app.register_error_handler(OverdueError, _answer_and_close)


def in_time(read: Callable[[], bytes], allowance: Allowance) -> bytes:
    """Return what `read` returns, or raise what it raises; raises OverdueError when its time is over."""
    reading = Future[bytes]()
    # A daemon: a body that stalls does not keep the process from stopping.
    threading.Thread(target=_read_into, args=(reading, read), name="body", daemon=True).start()
    if not wait([reading], allowance.seconds).done:
        log.warning("body.overdue", status=allowance.overdue.status)
        raise OverdueError(reading, allowance.overdue)
    return reading.result()


def _read_into(reading: Future[bytes], read: Callable[[], bytes]) -> None:
    try:
        reading.set_result(read())
    except BaseException as error:  # noqa: BLE001 - the thread of the request raises it
        reading.set_exception(error)


def _answer_and_close(error: OverdueError) -> Response:
    response = problems.problem_response(error.problem)
    content = response.get_data()
    response.response = _incomplete(content, error.reading)
    response.content_length = len(content) + 1
    return response


def _incomplete(content: bytes, reading: Future[bytes]) -> Iterator[bytes]:
    """Yield the answer, and end when the sender has closed or has had time to see it."""
    yield content
    wait([reading], CLOSE_SECONDS)
