"""The last hour of the worklists: how many cases waited, how many were overdue, how old the oldest was.

Counted backwards from what stands now by the newest events, of which a bounded number is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.store.sql import load

HOUR = timedelta(hours=1)
STEPS = 30
MAX_EVENTS = 5000  # read of the newest; where an hour has more, the history begins later

_ENTERED = ("referral.queued", "referral.released", "referral.rerouted")  # after these nobody has acknowledged
_LEFT = ("referral.acknowledged", "referral.completed", "referral.returned", "referral.superseded")
_CLOSED = ("referral.completed", "referral.returned", "referral.superseded")

_MOVES = text(load("board_moves"))
# A walk for each queue and priority through the index that has their order.
_NEWLY_DUE = text("""
    select due.acknowledge_by
    from unnest(cast(:all_queues as text[])) as queue cross join generate_series(0, 3) as priority
    cross join lateral (
        select acknowledge_by, facility, test from referrals
        where referrals.queue = queue.queue and status = 'queued' and referrals.priority = priority.priority
            and acknowledge_by < now() and acknowledge_by >= :since
        order by acknowledge_by desc limit :most
    ) as due
    where (cast(:facility as text) is null and not due.test) or due.facility = :facility
""")


@dataclass(frozen=True, slots=True)
class BoardState:
    """The worklists at one moment: cases that wait, cases that are overdue, and when the oldest open one came."""

    unacknowledged: int
    overdue: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Moment:
    """How the worklists stood at one moment of the last hour; the age in seconds."""

    at: datetime
    unacknowledged: int
    overdue: int
    oldest_seconds: float


def last_hour(
    connection: Connection | Session, scope: Scope, queues: Sequence[str], present: BoardState, now: datetime
) -> list[Moment]:
    """Return the last hour in STEPS equal steps, the oldest first; the last one is `present`."""
    given = {**scope.values, "since": now - HOUR, "most": MAX_EVENTS}
    words = {"entered": list(_ENTERED), "closed": list(_CLOSED), "moves": [*_ENTERED, *_LEFT]}
    moves = connection.execute(_MOVES, {**given, **words}).all()
    newly_due = [each[0] for each in connection.execute(_NEWLY_DUE, {**given, "all_queues": list(queues)})]
    moments = []
    for step in range(STEPS, 0, -1):
        at = now - HOUR * step / STEPS
        later = [move for move in moves if move.at > at]
        waiting = present.unacknowledged - sum(move.waits - move.waited for move in later)
        overdue = present.overdue - sum(due > at for due in newly_due)
        overdue += sum(move.waited and not move.waits and move.acknowledge_by <= at for move in later)
        opened = [present.oldest] if present.oldest else []
        opened += [move.created_at for move in later if move.closed]
        age = max(((at - since).total_seconds() for since in opened), default=0.0)
        moments.append(Moment(at, max(0, waiting), max(0, overdue), max(0.0, age)))
    age = (now - present.oldest).total_seconds() if present.oldest else 0.0
    return [*moments, Moment(now, present.unacknowledged, present.overdue, max(0.0, age))]
