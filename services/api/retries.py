"""Runs a short transaction again where time heals the failure: twice at most, and never for long."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

MOST_RETRIES = 2
LONGEST_SECONDS = 1.5  # a database that takes longer to fail is away, and the sender is told
HEALABLE = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "57P01",  # the server is shut down
    "57P02",  # the server crashed
    "57P03",  # the server is starting
}

Result = TypeVar("Result")


def retried(work: Callable[[], Result]) -> Result:
    """Return what `work` returns. It has to be safe to run after a commit whose answer was lost."""
    began = time.monotonic()
    for _ in range(MOST_RETRIES):
        try:
            return work()
        except DBAPIError as error:
            if not _heals(error) or time.monotonic() - began > LONGEST_SECONDS:
                raise
    return work()


def _heals(error: DBAPIError) -> bool:
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in HEALABLE
