"""Retries a short transaction after a transient failure: at most twice, within a short time."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

MAX_RETRIES = 2
MAX_SECONDS = 1.5  # a database that takes longer to fail is unavailable, and the answer is 503
RETRYABLE = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "57P01",  # the server is shut down
    "57P02",  # the server crashed
    "57P03",  # the server is starting
}

Result = TypeVar("Result")


def with_retries(work: Callable[[], Result]) -> Result:
    """Return what `work` returns. It has to be safe to run after a commit whose answer was lost."""
    began = time.monotonic()
    for _ in range(MAX_RETRIES):
        try:
            return work()
        except DBAPIError as error:
            if not _is_transient(error) or time.monotonic() - began > MAX_SECONDS:
                raise
    return work()


def _is_transient(error: DBAPIError) -> bool:
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in RETRYABLE
