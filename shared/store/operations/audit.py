"""Finds rows that contradict each other, that no list shows, or that are stuck. None is normal.

Each check is one query that changes nothing and says nothing of whom a row is about.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import OPEN_STATUSES, PRIORITIES, QUEUES, STATUSES
from shared.platform.task_queues import LANES
from shared.tables import DELIVERY_STATUSES, INTAKE_STATUSES, one_of

RECENT = timedelta(minutes=10)
RECENT_NUMBERS = 1000  # events, counted back from the last
MAX_EXAMPLES = 5
EVERYTHING = UUID(int=0)  # the first id there could be

# By name: the rows that should not be there. Ids of intakes and referrals begin with their time (UUID version 7), so
# `:first` leaves out, by the primary key, what is older than the audit is interested in.
_ROWS = {
    "triaged_without_referral": """
        select id from intakes where status = 'triaged' and id >= :first
        and not exists (select from referrals where intake_id = intakes.id)
    """,
    "decision_missing": """
        select id from referrals where pattern <> 'triage_failed' and id >= :first
        and not exists (select from decisions where decisions.intake_id = referrals.intake_id)
    """,
    "referral_without_events": """
        select id from referrals where id >= :first and not exists (select from events where referral_id = referrals.id)
    """,
    "referral_in_no_list": """
        select id from referrals where id >= :first and (status <> all(:statuses) or queue <> all(:queues))
    """,
    "intake_in_no_list": """
        select id from intakes where id >= :first and (status <> all(:intake_statuses) or lane <> all(:lanes))
    """,
    "waiting_priority": """
        select id from intakes where status = 'received' and lane = 'priority'
        and received_at < now() - interval '10 min'
    """,
    "waiting_routine": """
        select id from intakes where status = 'received' and lane = 'routine'
        and received_at < now() - interval '10 min'
    """,
    "delivery_overdue": """
        select deliveries.id from deliveries join destinations on destinations.id = destination_id
        where deliveries.status = 'due' and destinations.status = 'active' and due_at < now() - interval '1 hour'
        and (lease_until is null or lease_until < now())
    """,
    "delivery_in_no_list": """
        select id from deliveries
        where referral_id >= :first and (status <> all(:delivery_statuses) or queue <> all(:queues))
    """,
    "superseded_by_nothing": """
        select id from referrals where status = 'superseded' and id >= :first
        and (superseded_by is null or superseded_by = id)
    """,
    # Where the clock is left to the watchman, it starts it within a minute.
    "clock_missing": """
        select id from referrals where status = 'queued' and priority <= :urgent and id >= :first
        and escalate_at is null and escalation_level = 0 and not test
        and not exists (select from events where referral_id = referrals.id and at > now() - interval '3 min')
    """,
    "event_unnumbered": "select id from events where number is null and at < now() - interval '1 min'",
    "number_missing": """
        select number - 1 as id from (
            select number, lag(number, 1, cast(:after as bigint)) over (order by number) as before
            from events where number > :after
        ) as numbered where number <> before + 1
    """,
    # Every open referral counts, so only the audit of everything asks.
    "queue_miscounted": f"""
        select facility || ' ' || queue || ' ' || priority || ' ' || status as id from (
            select facility, queue, priority, status, change from queue_changes
            union all
            select facility, queue, priority, status, -1 from referrals where {one_of("status", OPEN_STATUSES)}
        ) as counted where cast(:first as uuid) = '{EVERYTHING}'
        group by facility, queue, priority, status having sum(change) <> 0
    """,  # noqa: S608 - constants
}
_COUNTS = {name: text(f"select count(*) from ({rows}) as found") for name, rows in _ROWS.items()}  # noqa: S608 - ours
_EXAMPLES = {
    name: text(f"select id from ({rows}) as found order by id limit {MAX_EXAMPLES}")  # noqa: S608 - ours
    for name, rows in _ROWS.items()
}
_LAST_NUMBER = text("select coalesce(max(number), 0) from events")
_WORDS: dict[str, Any] = {
    "statuses": list(STATUSES),
    "queues": list(QUEUES),
    "intake_statuses": list(INTAKE_STATUSES),
    "lanes": list(LANES),
    "delivery_statuses": list(DELIVERY_STATUSES),
    "urgent": PRIORITIES.index("urgent"),
}
_ALL = {**_WORDS, "first": EVERYTHING, "after": 0}


@dataclass
class Found:
    """How many rows a check found that takes more than a query, and the first of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, row: object) -> None:
        """Count a row."""
        self.count += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(str(row))


def findings(session: Session, since: datetime | None = None) -> dict[str, int]:
    """Return for every check how many rows it found; all are zero where all is well.

    With `since`, only of what came since then and of the last numbers, which is cheap enough to ask every minute.
    """
    given = _ALL if since is None else _recent(session, since)
    return {name: session.scalar(count, given) or 0 for name, count in _COUNTS.items()}


def examples(session: Session, name: str) -> list[str]:
    """Return the ids of the first rows that a check finds; of a gap the last number that is missing."""
    return [str(found) for found in session.scalars(_EXAMPLES[name], _ALL)]


def _recent(session: Session, since: datetime) -> dict[str, Any]:
    last: int = session.scalar(_LAST_NUMBER) or 0
    milliseconds = int(since.timestamp() * 1000)
    return {**_WORDS, "first": UUID(int=milliseconds << 80), "after": max(0, last - RECENT_NUMBERS)}
