"""Brute-force protection for API keys: 429 after some wrong secrets within a minute. A valid key is never delayed."""

import re
from datetime import datetime

import structlog
from flask import g
from sqlalchemy.exc import SQLAlchemyError

from services.api.context import AppContext
from services.api.http.problems import ProblemError
from shared.platform.metrics import FAILURES
from shared.store.access.failed_authentications import failures_of, key_name
from shared.store.access.keys import split

log = structlog.get_logger(__name__)

_KEY_ID = re.compile(r"[0-9a-f]{12}")
PER_KEY_ID = 10
PER_ADDRESS = 20


def failed_authentication(context: AppContext, presented: str, address: str) -> ProblemError:
    """Return what a caller is answered whose key does not open: 401, and 429 where too many did not within the minute.

    To be called once the key is known to be wrong. Where the counts cannot be read it is 401.
    """
    key_id = (split(presented) or ("",))[0]
    g.failed_key_id = key_id if _KEY_ID.fullmatch(key_id) else ""  # anything else may be a name, and is not stored
    now = context.now()
    if presented and _is_over(context, now.replace(second=0, microsecond=0), address, g.failed_key_id):
        g.guessed = True
        FAILURES.labels("guessing").inc()
        log.warning("authentication.limited")
        return ProblemError(
            429,
            "Too many wrong keys came within this minute. A valid key is answered as ever.",
            kind="too-many-wrong-keys",
            headers={"Retry-After": str(60 - now.second)},
        )
    return ProblemError(401, headers={"WWW-Authenticate": "Bearer"})


def _is_over(context: AppContext, minute: datetime, address: str, key_id: str) -> bool:
    limits = {address: PER_ADDRESS} | ({key_name(key_id): PER_KEY_ID} if key_id else {})
    waiting = context.failed_authentications.waiting(minute, limits)
    if any(waiting[name] >= most for name, most in limits.items()):
        return True
    try:
        with context.lookups.connect() as connection:
            stored = failures_of(connection, minute, list(limits))
    except SQLAlchemyError:
        return False
    return any(waiting[name] + stored.get(name, 0) >= most for name, most in limits.items())
