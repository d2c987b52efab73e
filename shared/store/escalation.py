"""Climbs the escalation ladder where nobody has acknowledged in time. A referral's row holds its clock.

Climbing is one transaction: the row says which rung was the last and when the next is due, an event says so, and the
deliveries to the destinations of that level are added. Rungs that fell due while
no watchman ran are climbed in order, one a call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import (
    PRIORITIES,
    QUEUES,
    Escalation,
    Priority,
    first_rung_after,
    next_escalation,
)
from shared.clinical.referral.targets import Targets
from shared.store.event_log.events import DueDelivery, append_events
from shared.tables import IS_QUEUED, one_of


@dataclass(frozen=True, slots=True)
class Climbed:
    """A rung that a referral has just climbed; `last` if there is none above it."""

    referral_id: UUID
    level: int
    queue: str
    priority: Priority
    last: bool


# The present moment of the transaction, not of the clock: it is the same for every row, so the index can be asked.
_DUE = text(f"""
    select id, intake_id, queue, priority, clock_started_at, escalation_level, escalate_at
    from referrals
    where {IS_QUEUED} and escalate_at <= now()
    order by escalate_at, id
    limit :limit
    for no key update skip locked
""")  # noqa: S608 - a constant
RUNG_IS_DUE = f"exists (select from referrals where {IS_QUEUED} and escalate_at <= now())"
_CLIMB = text("""
    update referrals set escalation_level = given.level, escalate_at = given.escalate_at, version = version + 1
    from unnest(cast(:ids as uuid[]), cast(:levels as smallint[]), cast(:next as timestamptz[]))
        as given (id, level, escalate_at)
    where referrals.id = given.id
""")
_START = text(f"""
    update referrals set escalate_at = clock_started_at + :first
    where {one_of("queue", QUEUES)} and priority = :priority and status = 'queued'
        and escalate_at is null and escalation_level = 0 and not test
""")  # noqa: S608 - a queue is one of four words; naming them lets the index by queue and status be asked


@dataclass(frozen=True, slots=True)
class _Step:
    """A referral with a rung that is due: the rung, None where its protocol has it no more, and the one above."""

    row: Any
    priority: Priority
    rung: Escalation | None
    above: Escalation | None


def climb(session: Session, targets: Targets, *, limit: int) -> tuple[list[Climbed], list[DueDelivery]]:
    """Climb one rung with each referral that has one due, longest due first; return what is to be delivered of it."""
    steps = [_step(row, targets) for row in session.execute(_DUE, {"limit": limit})]
    if not steps:
        return [], []
    given = {
        "ids": [step.row.id for step in steps],
        "levels": [step.rung.level if step.rung else step.row.escalation_level for step in steps],
        "next": [step.above.due if step.above else None for step in steps],
    }
    session.execute(_CLIMB, given)
    return _climbed(steps), append_events(session, [event for step in steps for event in _events(step)])


def start_clocks(session: Session, targets: Targets) -> None:
    """Give a clock to the referrals that workers of the version before have added without one."""
    for place, priority in enumerate(PRIORITIES):
        first = first_rung_after(priority, targets)
        if first is not None:
            session.execute(_START, {"priority": place, "first": first})


def _step(row: Any, targets: Targets) -> _Step:
    priority, level = PRIORITIES[row.priority], row.escalation_level
    rung, above = (
        next_escalation(priority, row.clock_started_at, targets, level=reached) for reached in (level, level + 1)
    )
    return _Step(row, priority, rung, above)


def _climbed(steps: Sequence[_Step]) -> list[Climbed]:
    return [
        Climbed(step.row.id, step.rung.level, step.row.queue, step.priority, last=step.above is None)
        for step in steps
        if step.rung
    ]


def _events(step: _Step) -> list[dict[str, Any]]:
    if step.rung is None:
        return []
    data = {
        "level": step.rung.level,
        "action": step.rung.action,
        "due": _written(step.row.escalate_at),
        "queue": step.row.queue,
        "priority": step.priority,
    }
    told = {"referral_id": step.row.id, "intake_id": step.row.intake_id, "data": data}
    return [{"type": "referral.escalated", **told}]


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
