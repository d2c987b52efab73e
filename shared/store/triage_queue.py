"""Takes intakes that wait for triage, by locks or by leases, and stores their outcomes.

The status of the row is the only record of what is to do. Locks last until the transaction ends and write nothing. A
lease runs by the database clock and counts the attempt. To finish an intake that is finished already changes nothing.

Both ways stay: with locks alone a form that kills its process would be tried for ever, because the attempt leaves no
trace; with leases alone each row is written once more, and a backlog drains at 0.83 of the rate.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from shared.clinical.referral.lifecycle import PRIORITIES, Priority, Queue
from shared.platform.raw_statement import RawStatement
from shared.platform.task_queues import LANES, Lane
from shared.store.contact.imaging_due import utc
from shared.store.event_log.events import FAN_OUT, DueDelivery, due_deliveries
from shared.store.sql import load
from shared.tables import Intake


@dataclass(frozen=True, slots=True)
class WaitingIntake:
    """An intake that is locked or leased for triage; `attempts` counts this attempt too.

    `first_version` is the first of the forms of which it is a new version, None where it amends none.
    """

    id: UUID
    facility: str
    lane: Lane
    received_at: datetime
    answers: dict[str, Any]
    attempts: int
    request_id: str
    traceparent: str | None
    first_version: UUID | None
    waited: float  # seconds since its receipt, when it was taken
    taken_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class TriageOutcome:
    """The referral that an intake becomes, and the decision's record, or None where triage failed."""

    intake: WaitingIntake
    record: dict[str, Any] | None
    queue: Queue
    priority: Priority
    pattern: str
    headline: str
    red_flags: list[str]
    acknowledge_by: datetime
    clock_started_at: datetime
    escalate_at: datetime | None
    escalation_level: int = 0
    downgrade_proposed: bool = False
    contact_by: datetime | None = None
    ambulance: bool = False
    imaging_due: dict[str, str | None] = field(default_factory=dict)
    contacted_by: str | None = None
    contacted_at: datetime | None = None
    contacted_outcome: str | None = None
    contact_overdue_at: datetime | None = None
    supersedes: Sequence[UUID] = ()
    referral_id: UUID = field(default_factory=uuid7)


# Statements that have ids select by these alone. To say `= 'received'` would offer the planner the index of all that
# waits, and while statistics say that this is little, it reads the whole backlog for each red flag.
_STILL_WAITS = Intake.status.is_not_distinct_from("received")

# The statements that every intake passes through are written out: one round trip each, and nothing to build.
_WAITED = "cast(extract(epoch from clock_timestamp() - received_at) as float)"
# "No key": a transaction that only refers to the row, as a form does that amends it, need not wait.
# A limit that the planner is not told has it begin at once, along the index. Else it may take what waits for less than
# the limit, and sort all of it for each batch.
_OLDEST = """
    from intakes
    where status = 'received' and lane = :lane and (lease_until is null or lease_until < clock_timestamp())
    order by received_at, id
    limit (select cast(:limit as int))
    for no key update skip locked
"""
_LOCK_BATCH = RawStatement(
    text(f"""
    select id, facility, lane, received_at, answers, attempts + 1, request_id, traceparent, first_version,
        {_WAITED}
    {_OLDEST}
""")
)
_LEASE_BATCH = text(f"""
    with oldest as (select id {_OLDEST})
    update intakes set attempts = attempts + 1, lease_until = clock_timestamp() + :lease
    from oldest where intakes.id = oldest.id
    returning intakes.id, facility, lane, received_at, answers, attempts, request_id, traceparent, first_version,
        {_WAITED}
""")  # noqa: S608 - constants

_FINISH = RawStatement(text(load("finish_triage", fan_out=FAN_OUT)))

_OLDEST_OF_EACH_LANE = text(
    " union all ".join(  # one step into the index for each lane, however many wait
        f"""(select lane, extract(epoch from clock_timestamp() - received_at)
             from intakes
             where status = 'received' and lane = '{lane}' and (lease_until is null or lease_until < clock_timestamp())
             order by received_at limit 1)"""  # noqa: S608 - a lane is one of two words
        for lane in LANES
    )
)


def lock_batch(session: Session, lane: Lane, *, limit: int) -> list[WaitingIntake]:
    """Take the oldest waiting intakes of `lane`, at most `limit`, until the transaction ends, for this worker alone."""
    return [WaitingIntake(*row) for row in _LOCK_BATCH.execute(session, {"lane": lane, "limit": limit})]


def lease_batch(session: Session, lane: Lane, *, limit: int, lease: timedelta) -> list[WaitingIntake]:
    """Take the oldest waiting intakes of `lane`, at most `limit`, for as long as `lease`; no other worker gets them."""
    taken = session.execute(_LEASE_BATCH, {"lane": lane, "limit": limit, "lease": lease})
    return sorted((WaitingIntake(*row) for row in taken), key=lambda intake: (intake.received_at, intake.id))


def renew_lease(session: Session, intakes: Sequence[WaitingIntake], *, lease: timedelta) -> None:
    """Extend the lease of intakes by another `lease`, before work on them that takes long.

    One that another worker is finishing right now is skipped, not waited for.
    """
    leased = select(Intake.id).where(Intake.id.in_([intake.id for intake in intakes]), _STILL_WAITS)
    session.execute(
        update(Intake)
        .where(Intake.id.in_(leased.with_for_update(key_share=True, skip_locked=True)))
        .values(lease_until=func.clock_timestamp() + lease)
        .execution_options(synchronize_session=False)
    )


def release_lease(session: Session, intakes: Sequence[WaitingIntake]) -> None:
    """End the lease of intakes that are not finished: the next worker may take them at once.

    The attempt still counts, so that a form that ends its process is not tried for ever.
    """
    session.execute(
        update(Intake)
        .where(Intake.id.in_([intake.id for intake in intakes]), _STILL_WAITS)
        .values(lease_until=None)
        .execution_options(synchronize_session=False)
    )


def finish(
    session: Session, outcomes: Sequence[TriageOutcome], *, actor: Mapping[str, Any] | None = None
) -> list[DueDelivery]:
    """Store decisions, referrals and their first events, and mark the intakes triaged; return what is to be delivered.

    Intakes that are triaged already are left as they are, so finishing twice is finishing once.
    `actor` is who caused it in a request.
    """
    by_whom = {"actor": dict(actor)} if actor else {}
    given = orjson.dumps([{**_row(outcome), **by_whom} for outcome in outcomes]).decode()
    return due_deliveries(_FINISH.execute(session, {"outcomes": given}))


def oldest_waiting(session: Session) -> dict[Lane, float]:
    """Return, for each lane that has unclaimed intakes, how long the oldest of them has waited, in seconds."""
    return {lane: float(seconds) for lane, seconds in session.execute(_OLDEST_OF_EACH_LANE)}


def _row(outcome: TriageOutcome) -> dict[str, Any]:
    routed = {
        "queue": outcome.queue,
        "red_flags": outcome.red_flags,
        "pattern": outcome.pattern,
    }
    return {
        **routed,
        "intake_id": str(outcome.intake.id),
        "referral_id": str(outcome.referral_id),
        "record": outcome.record,
        "priority": PRIORITIES.index(outcome.priority),
        "headline": outcome.headline,
        "acknowledge_by": outcome.acknowledge_by.isoformat(),
        "clock_started_at": outcome.clock_started_at.isoformat(),
        "escalate_at": outcome.escalate_at,
        "escalation_level": outcome.escalation_level,
        "downgrade_proposed": outcome.downgrade_proposed,
        "contact_by": outcome.contact_by,
        "ambulance": outcome.ambulance,
        "imaging_due": outcome.imaging_due,
        "contacted_by": outcome.contacted_by,
        "contacted_at": outcome.contacted_at,
        "contacted_outcome": outcome.contacted_outcome,
        "contact_overdue_at": outcome.contact_overdue_at,
        "event": {**routed, "priority": outcome.priority, **_contact(outcome), **_of_a_version(outcome)},
    }


def _contact(outcome: TriageOutcome) -> dict[str, Any]:
    return {"contact_by": outcome.contact_by and utc(outcome.contact_by), "ambulance": outcome.ambulance}


def _of_a_version(outcome: TriageOutcome) -> dict[str, Any]:
    """Return what the first event says beyond the place, where there is something to say."""
    said = {"supersedes": [str(referral) for referral in outcome.supersedes]} if outcome.supersedes else {}
    return said | ({"downgrade_proposed": True} if outcome.downgrade_proposed else {})
