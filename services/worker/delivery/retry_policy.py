"""Retry policy of deliveries: delivered, retried after an exponential backoff, parked, or the destination is gone.

A failure is named by whether time heals it. An overloaded, restarting or unreachable system comes back by itself; one
that says that the request is wrong, or that it is elsewhere, needs a person.
"""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from services.worker.delivery.sender import WebhookResponse
from shared.store.delivery.deliveries import AttemptResult, Ending, LeasedDelivery

DAY = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=3)  # since it became due; what fails after that is parked

# Seconds to the next attempt, after the first, second … failure; then the last one over and over.
SOON = (1, 2, 4, 8, 15)
LATER = (30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400)
PAUSES = {"urgent": (*SOON, *LATER)}
JITTER = (0.8, 1.2)  # so that what failed together does not come again together

RETRYABLE_STATUSES = frozenset({408, 409, 425, 429})
RETRYABLE_ERRORS = frozenset(
    {"name_not_resolved", "timed_out", "connect_failed", "tls_failed", "connection_lost", "no_http_answer"}
)


def outcome_of(leased: LeasedDelivery, answer: WebhookResponse) -> AttemptResult:
    """Return how the attempt ended, and for one that time heals when the next one is due."""
    ending = _ending(answer)
    if ending == "again" and leased.due_for >= GIVE_UP_AFTER:
        ending = "parked"
    asked = asked_for(answer.retry_after, leased.at) if ending == "again" else timedelta()
    return AttemptResult(
        ending,
        answer.duration_ms,
        http_status=answer.status,
        error=_error(answer),
        pause=max(pause_after(leased.tries, leased.queue), asked),
        asked=asked,
    )


def pause_after(tries: int, queue: str) -> timedelta:
    """Return how long a delivery rests that has failed `tries` times before this time."""
    pauses = PAUSES.get(queue, LATER)
    return timedelta(seconds=pauses[min(tries, len(pauses) - 1)] * random.uniform(*JITTER))  # noqa: S311 - no secret


def asked_for(retry_after: str | None, now: datetime) -> timedelta:
    """Return for how long a `Retry-After`, in seconds or as a date, asks to be left alone: at most a day."""
    if retry_after is None:
        return timedelta()
    try:
        if retry_after.strip().isdecimal():
            return timedelta(seconds=min(float(retry_after), DAY.total_seconds()))
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return timedelta()
    left = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(left, timedelta()), DAY)


def _error(answer: WebhookResponse) -> str | None:
    named = {"delivered": None, "gone": "gone"}
    return answer.error or named.get(_ending(answer), f"http_{answer.status}")


def _ending(answer: WebhookResponse) -> Ending:
    status = answer.status
    if status is None:
        return "again" if answer.error in RETRYABLE_ERRORS else "parked"
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    return "again" if status >= 500 or status in RETRYABLE_STATUSES else "parked"
