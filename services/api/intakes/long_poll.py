"""Waits for triage where the sender prefers it (RFC 7240), holding a thread but no database connection."""

import re
import time
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from services.api.context import AppContext
from services.api.http.retries import with_retries
from shared.store import intakes

MAX_SECONDS = 30
FIRST_PAUSE, MAX_PAUSE = 0.003, 0.1  # seconds; triage mostly ends within milliseconds

_WAIT = re.compile(r'\s*wait\s*=\s*(?:([0-9]+)|"([0-9]+)")\s*(?:;.*)?', re.IGNORECASE | re.DOTALL)


def preferred_seconds(headers: Iterable[str]) -> int | None:
    """Return for how long the sender would wait, at most 30; None without a readable preference."""
    preferences = (preference for header in headers for preference in header.split(","))
    for preference in preferences:
        match = _WAIT.fullmatch(preference)
        if match:
            digits = (match[1] or match[2]).lstrip("0") or "0"
            return MAX_SECONDS if len(digits) > 2 else min(int(digits), MAX_SECONDS)
    return None


def wait_for_triage(context: AppContext, intake_id: UUID, seconds: int) -> bool:
    """Return once the intake is triaged or the time is up; False at once where too many wait already."""
    if not context.long_poll_slots.acquire(blocking=False):
        return False
    try:
        end, pause = time.monotonic() + seconds, FIRST_PAUSE
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            if _is_triaged(context, intake_id):
                break
            pause = min(pause * 1.5, MAX_PAUSE)
    finally:
        context.long_poll_slots.release()
    return True


def _is_triaged(context: AppContext, intake_id: UUID) -> bool:
    def read() -> bool:
        with context.statements.connect() as connection:
            return intakes.is_triaged(connection, intake_id)

    try:
        return with_retries(read)  # a server that has just restarted ends no wait
    except SQLAlchemyError:
        return True  # no use in waiting; what is known is answered
