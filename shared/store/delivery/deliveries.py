"""Leases deliveries for an attempt, stores its result, and finds stalled deliveries.

Leases run by the database clock. A transaction that changes how a destination is served locks its row first, with a
lock that lets others add deliveries to it. A lease that ran out is a delivery that is due again, under the same id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.platform.task_queues import FACILITY_DELIVERIES
from shared.store.event_log.events import append_events
from shared.store.sql import load

AT_ONCE = 4  # attempts at one destination; one while it fails
LEASE = timedelta(seconds=15)  # an attempt ends within ten; what a killed worker had blocks no destination for longer
MAX_BACKOFF = timedelta(seconds=60)  # of a destination that fails, between two attempts at it
DOWN = 3  # failures in a row after which it was the destination that failed, not a delivery
MAX_BATCH = 1000

Ending = Literal["delivered", "again", "parked", "gone"]


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """What an attempt needs. `attempt` counts for ever; `tries` and `due_for` since it became due, or a person retried.

    `traceparent` continues the trace of the request that stored the form.

    `secret` is sealed; see shared/platform/crypto.py. `at` is now, by the database: what signs and what counts has one
    clock.
    """

    id: UUID
    destination_id: UUID
    referral_id: UUID
    queue: str
    url: str
    secret: bytes
    payload: dict[str, Any]
    attempt: int
    tries: int
    due_for: timedelta
    at: datetime
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How an attempt ended: an answer's status or the class of an error, and what that makes of the delivery.

    With `again` it is due after `pause`, and its destination rests at least as long as it `asked` for, up to a minute;
    `gone` disables the destination too.
    """

    ending: Ending
    duration_ms: int
    http_status: int | None = None
    error: str | None = None
    pause: timedelta = timedelta()
    asked: timedelta = timedelta()


_SERVED = "destinations.status = 'active' and coalesce(rests_until <= clock_timestamp(), true)"
_UNLEASED = "deliveries.status = 'due' and coalesce(lease_until <= clock_timestamp(), true)"
_HAS_FREE_SLOT = f"""(
    select count(*) from deliveries as leased
    where leased.destination_id = destinations.id and leased.status = 'due' and leased.lease_until > clock_timestamp()
) < case when failures > 0 then 1 else {AT_ONCE} end"""  # noqa: S608 - a constant

_LOCK = text(f"""
    select destinations.id from destinations
    where id = coalesce(:destination, (select destination_id from deliveries where id = :delivery)) and {_SERVED}
    for no key update
""")  # noqa: S608 - no input
_THIS = "deliveries.id = :delivery"
_OLDEST = f"""deliveries.id = (
    select id from deliveries where destination_id = :destination and {_UNLEASED} and due_at <= clock_timestamp()
    order by due_at, id limit 1
)"""  # noqa: S608 - no input
_LEASE_THIS, _LEASE_OLDEST = (
    text(load("lease_delivery", which=which, unleased=_UNLEASED, has_free_slot=_HAS_FREE_SLOT))
    for which in (_THIS, _OLDEST)
)
_LOCK_TO_FINISH = text("select failures from destinations where id = :destination for no key update")
_ATTEMPT = text("""
    insert into delivery_attempts (delivery_id, attempt, at, duration_ms, http_status, error)
    values (:id, :attempt, clock_timestamp(), :duration_ms, :http_status, :error) on conflict do nothing
""")
_MOVE = text(load("finish_attempt"))
_ANSWERED = text("""
    update destinations set failures = 0, rests_until = null, status = case when :gone then 'disabled' else status end
    where id = :destination and (failures > 0 or rests_until is not null or :gone)
""")
_BACK = text(f"""
    update deliveries set due_at = clock_timestamp()
    where id in (
        select id from deliveries
        where destination_id = :destination and status = 'due' and due_at > clock_timestamp() and error <> 'http_429'
        limit {MAX_BATCH}
    )
""")  # noqa: S608 - a constant
_FAILED = text("""
    update destinations set failures = failures + 1,
        rests_until = clock_timestamp()
            + least(:longest, greatest(:asked, interval '1 second' * 2 ^ least(failures, 6)))
    where id = :destination
""")
_PARK_UNREACHABLE = text(load("park_unreachable", unleased=_UNLEASED, max_batch=str(MAX_BATCH)))
_STALLED = text(
    load(
        "stalled_deliveries",
        unleased=_UNLEASED,
        served=_SERVED,
        has_free_slot=_HAS_FREE_SLOT,
        facility_deliveries=FACILITY_DELIVERIES,
    )
)
ANY_STALLED = f"""exists (
    select from destinations cross join lateral (
        select due_at from deliveries where destination_id = destinations.id and {_UNLEASED} order by due_at, id limit 1
    ) as oldest
    where destinations.status <> 'active' or ({_SERVED} and oldest.due_at <= clock_timestamp() - cast(:age as interval))
)"""  # noqa: S608 - no input


@dataclass(frozen=True, slots=True)
class StalledDelivery:
    """The oldest delivery of its destination that is due and that nobody attempts."""

    id: UUID
    queue: str
    destination_id: UUID


def lease_delivery(session: Session, delivery_id: UUID) -> LeasedDelivery | None:
    """Take this delivery for an attempt; if it is not to be had, the one that its destination has waited for longest.

    Nothing is taken that is not due, that is leased, or whose destination is backing off or has no free slot.
    """
    which = {"destination": _served(session, delivery=delivery_id), "lease": LEASE}
    if which["destination"] is None:
        return None
    # Statements of their own: they see what was leased while the first one waited for the lock.
    row = session.execute(_LEASE_THIS, {**which, "delivery": delivery_id}).first()
    row = row or session.execute(_LEASE_OLDEST, which).first()
    return LeasedDelivery(*row) if row else None


def lease_next_delivery(session: Session, destination_id: UUID) -> LeasedDelivery | None:
    """Take the delivery that this destination has waited for longest, under the same conditions."""
    which = {"destination": _served(session, destination=destination_id), "lease": LEASE}
    row = session.execute(_LEASE_OLDEST, which).first() if which["destination"] else None
    return LeasedDelivery(*row) if row else None


def finish_attempt(session: Session, leased: LeasedDelivery, ended: AttemptResult) -> bool:
    """Keep the attempt and move the delivery and its destination on; say whether that was still this attempt's to do.

    It was not if the lease ran out and another attempt began, or a person decided. Finishing twice is finishing once.
    """
    destination = {"destination": leased.destination_id}
    failures = session.scalar(_LOCK_TO_FINISH, destination) or 0
    attempt = {"id": leased.id, "attempt": leased.attempt}
    told = {"duration_ms": ended.duration_ms, "http_status": ended.http_status, "error": ended.error}
    session.execute(_ATTEMPT, attempt | told)
    status = {"delivered": "delivered", "again": "due"}.get(ended.ending, "parked")
    moved = session.execute(_MOVE, {**attempt, "status": status, "error": ended.error, "pause": ended.pause}).first()
    if moved is None:
        return False
    if ended.ending == "again":
        rest = {"asked": ended.asked, "longest": MAX_BACKOFF}
        session.execute(_FAILED, destination | rest)
    else:
        session.execute(_ANSWERED, {**destination, "gone": ended.ending == "gone"})
    if ended.ending == "delivered" and failures >= DOWN:
        session.execute(_BACK, destination)  # what waited for it need not wait longer, but for what it asked to
    if status == "parked":
        append_events(
            session, [_parked(moved.referral_id, moved.intake_id, leased.id, leased.destination_id, ended.error)]
        )
    return True


def park_undeliverable(session: Session) -> int:
    """Park what is due to a destination that is disabled or removed, at most MAX_BATCH; return how many."""
    parked = session.execute(_PARK_UNREACHABLE).all()
    append_events(session, [_parked(*row) for row in parked])
    return len(parked)


def stalled_deliveries(session: Session, *, age: timedelta, queues: tuple[str, ...]) -> list[StalledDelivery]:
    """Return one delivery of each destination that has had one due for `age`; its worker makes the rest, too."""
    rows = session.execute(_STALLED, {"age": age, "queues": list(queues)})
    return [StalledDelivery(*row) for row in rows]


def _served(session: Session, *, delivery: UUID | None = None, destination: UUID | None = None) -> UUID | None:
    """Return the destination, locked, if it is to be served now."""
    served: UUID | None = session.scalar(_LOCK, {"delivery": delivery, "destination": destination})
    return served


def _parked(
    referral_id: UUID, intake_id: UUID, delivery_id: UUID, destination_id: UUID, error: str | None
) -> dict[str, Any]:
    data = {"delivery": str(delivery_id), "destination": str(destination_id), "error": error}
    return {"type": "delivery.parked", "referral_id": referral_id, "intake_id": intake_id, "data": data}
