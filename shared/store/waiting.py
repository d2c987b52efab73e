"""Work still to do: claims intakes that wait for triage, and stores what came of them.

The status of the row is the only record of what is to do. A claim is a lease by the database clock; whoever finishes an
intake that somebody else has finished meanwhile changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, union_all, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from shared.clinical.lifecycle import PRIORITIES, Priority, Queue
from shared.tables import Decision, Event, Intake, Referral
from shared.task_queues import LANES, Lane


@dataclass(frozen=True, slots=True)
class Waiting:
    """An intake claimed for triage; `attempts` counts this claim too."""

    id: UUID
    facility: str
    lane: Lane
    received_at: datetime
    answers: dict[str, Any]
    attempts: int
    request_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The referral that an intake becomes, and the decision's record, or None where triage failed."""

    intake: Waiting
    record: dict[str, Any] | None
    queue: Queue
    priority: Priority
    pattern: str
    headline: str
    red_flags: list[str]
    acknowledge_by: datetime


_UNLEASED = or_(Intake.lease_until.is_(None), Intake.lease_until < func.clock_timestamp())
_WAITING = (Intake.status == "received", _UNLEASED)


def claim(session: Session, lane: Lane, *, limit: int, lease: timedelta) -> list[Waiting]:
    """Take the oldest waiting intakes of `lane`, at most `limit`, for as long as `lease`; nobody else gets them."""
    oldest = (
        select(Intake.id)
        .where(*_WAITING, Intake.lane == lane)
        .order_by(Intake.received_at, Intake.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("oldest")
    )
    taken = session.execute(
        update(Intake)
        .where(Intake.id == oldest.c.id)
        .values(attempts=Intake.attempts + 1, lease_until=func.clock_timestamp() + lease)
        .returning(*(getattr(Intake, column.name) for column in fields(Waiting)))
        .execution_options(synchronize_session=False)
    )
    return sorted((Waiting(*row) for row in taken), key=lambda intake: (intake.received_at, intake.id))


def renew(session: Session, intakes: Sequence[Waiting], *, lease: timedelta) -> None:
    """Hold on to claimed intakes for another `lease`, before work on them that takes long."""
    session.execute(
        update(Intake)
        .where(Intake.id.in_(_ids(intakes)), Intake.status == "received")
        .values(lease_until=func.clock_timestamp() + lease)
        .execution_options(synchronize_session=False)
    )


def finish(session: Session, outcomes: Sequence[Outcome]) -> int:
    """Store decisions, referrals and their first events, and mark the intakes triaged; return how many.

    Intakes that are triaged already are left as they are, so finishing twice is finishing once.
    """
    waiting = select(Intake.id).where(
        Intake.id.in_(_ids([outcome.intake for outcome in outcomes])), Intake.status == "received"
    )
    mine = set(session.scalars(waiting.order_by(Intake.id).with_for_update()))
    outcomes = [outcome for outcome in outcomes if outcome.intake.id in mine]
    if not outcomes:
        return 0
    referrals = [_referral(outcome) for outcome in outcomes]
    decisions = [_decision(outcome.intake, outcome.record) for outcome in outcomes if outcome.record is not None]
    if decisions:
        session.execute(insert(Decision), decisions)
    session.execute(insert(Referral), referrals)
    session.execute(insert(Event), [_queued(referral) for referral in referrals])
    session.execute(
        update(Intake)
        .where(Intake.id.in_(mine))
        .values(status="triaged", triaged_at=func.now(), lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return len(outcomes)


def standing_still(session: Session) -> dict[Lane, float]:
    """Return, for each lane that has unclaimed intakes, how long the oldest of them has waited, in seconds."""
    age = func.extract("epoch", func.clock_timestamp() - Intake.received_at)
    oldest = [  # one step into the index for each lane, however many wait
        select(Intake.lane, age).where(*_WAITING, Intake.lane == lane).order_by(Intake.received_at).limit(1).subquery()
        for lane in LANES
    ]
    rows = session.execute(union_all(*(select(subquery) for subquery in oldest)))
    return {lane: float(seconds) for lane, seconds in rows}


def _ids(intakes: Sequence[Waiting]) -> list[UUID]:
    return [intake.id for intake in intakes]


def _decision(intake: Waiting, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "intake_id": intake.id,
        "record": record,
        "protocol_version": record["protocol"]["version"],
    }


def _referral(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "intake_id": outcome.intake.id,
        "facility": outcome.intake.facility,
        "queue": outcome.queue,
        "priority": PRIORITIES.index(outcome.priority),
        "pattern": outcome.pattern,
        "headline": outcome.headline,
        "red_flags": outcome.red_flags,
        "acknowledge_by": outcome.acknowledge_by,
    }


def _queued(referral: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "referral.queued",
        "referral_id": referral["id"],
        "intake_id": referral["intake_id"],
        "data": {
            "queue": referral["queue"],
            "priority": PRIORITIES[referral["priority"]],
            "red_flags": referral["red_flags"],
            "pattern": referral["pattern"],
        },
    }
