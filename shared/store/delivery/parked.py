"""Lists deliveries, and retries or discards parked (dead-lettered) ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, literal, select, text, tuple_
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher
from shared.store.access.scope import Scope
from shared.store.event_log.events import DueDelivery, append_events
from shared.tables import Delivery, DeliveryAttempt, Destination, Referral

MAX_BATCH = 1000


@dataclass(frozen=True, slots=True)
class DeliveryPosition:
    """A place in the list of deliveries: after the one that has these."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery with its destination and its attempts, the first one first."""

    delivery: Delivery
    destination: Destination
    attempts: Sequence[DeliveryAttempt]


# A person says that it is back: whatever its destination did before counts no longer.
_ENABLE = text("""
    update destinations set status = 'active', failures = 0, rests_until = null
    from (select distinct destination_id from deliveries where id = any(:ids) and status = 'parked') as of
    where destinations.id = of.destination_id and destinations.status <> 'removed'
""")
_RETRY = text("""
    update deliveries set status = 'due', due_at = clock_timestamp(), due_since = clock_timestamp(), ended_at = null,
        error = null, lease_until = null
    from destinations
    where deliveries.id = any(:ids) and deliveries.status = 'parked' and destinations.id = destination_id
        and destinations.status = 'active'
    returning deliveries.id, deliveries.queue
""")
_DISCARD = text("""
    update deliveries set status = 'discarded', ended_at = clock_timestamp()
    from referrals
    where deliveries.id = any(:ids) and deliveries.status = 'parked' and referrals.id = referral_id
    returning referral_id, intake_id, deliveries.id, deliveries.destination_id
""")


def page_seen(
    session: Session, status: str, scope: Scope, *, limit: int, after: DeliveryPosition | None
) -> tuple[list[Seen], DeliveryPosition | None]:
    """Return the first `limit` deliveries of a status that `scope` sees, and the position of the last one examined.

    The position is None where nothing follows. For one facility at most MAX_BATCH are examined.
    """
    many = limit if scope.facility is None else MAX_BATCH
    order = (Delivery.created_at, Delivery.id)
    statement = select(*order, Delivery.referral_id).where(Delivery.status == status)
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(literal(after.created_at), literal(after.id)))
    examined = session.execute(statement.order_by(*order).limit(many + 1)).all()
    more, examined = len(examined) > many, examined[:many]
    if scope.facility is None:
        shown = examined
    else:
        of_facility = select(Referral.id).where(
            Referral.id.in_({row.referral_id for row in examined}), Referral.facility == scope.facility
        )
        own = set(session.scalars(of_facility))
        shown = [row for row in examined if row.referral_id in own]
        if len(shown) > limit:
            more, shown = True, shown[:limit]
            examined = shown
    wanted = select(Delivery, Destination).join(Destination).where(Delivery.id.in_([row.id for row in shown]))
    found = _with_attempts(session, session.execute(wanted.order_by(*order)).all())
    return found, DeliveryPosition(examined[-1].created_at, examined[-1].id) if more else None


def page(
    session: Session,
    status: str,
    *,
    limit: int,
    after: DeliveryPosition | None = None,
    destination_id: UUID | None = None,
    facility: str | None = None,
) -> list[Seen]:
    """Return the first `limit` deliveries of a status after a position, the oldest first.

    To one destination or all, of what happened to one facility's referrals or to all.
    """
    order = (Delivery.created_at, Delivery.id)
    statement = select(Delivery, Destination).join(Destination).where(Delivery.status == status)
    if destination_id is not None:
        statement = statement.where(Delivery.destination_id == destination_id)
    if facility is not None:
        statement = statement.join(Referral, Referral.id == Delivery.referral_id).where(Referral.facility == facility)
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(literal(after.created_at), literal(after.id)))
    return _with_attempts(session, session.execute(statement.order_by(*order).limit(limit)).all())


def find(session: Session, delivery_id: UUID, scope: Scope) -> Seen | None:
    """Return the delivery as it stands, if `scope` sees it."""
    statement = select(Delivery, Destination).join(Destination).where(Delivery.id == delivery_id)
    if scope.facility is not None:
        of = statement.join(Referral, Referral.id == Delivery.referral_id)
        statement = of.where(Referral.facility == scope.facility)
    return next(iter(_with_attempts(session, session.execute(statement).all())), None)


def ids(session: Session, *, destination_id: UUID | None = None) -> Sequence[UUID]:
    """Return parked deliveries that can be retried, the oldest first, at most MAX_BATCH."""
    statement = select(Delivery.id).join(Destination)
    parked = [Delivery.status == "parked", Destination.status != "removed"]
    if destination_id is not None:
        parked.append(Destination.id == destination_id)
    oldest = statement.where(*parked).order_by(Delivery.created_at, Delivery.id).limit(MAX_BATCH)
    return session.scalars(oldest).all()


def retry(session: Session, delivery_ids: Iterable[UUID]) -> list[DueDelivery]:
    """Make parked deliveries due now, with a new retry period and under the same id; return those that are.

    Their destinations are served again, unless they are removed. What is not parked is left as it is.
    """
    wanted = {"ids": list(delivery_ids)}
    session.execute(_ENABLE, wanted)
    return [DueDelivery(*row) for row in session.execute(_RETRY, wanted)]


def discard(session: Session, delivery_ids: Iterable[UUID], *, by: str, reason: str, cipher: IdentityCipher) -> int:
    """Discard parked deliveries in the name of a person; return how many.

    The reason stays in the timeline, sealed with `cipher`.
    """
    discarded = session.execute(_DISCARD, {"ids": list(delivery_ids)}).all()
    events = [
        {
            "type": "delivery.discarded",
            "referral_id": referral_id,
            "intake_id": intake_id,
            "by": by,
            "data": {"delivery": str(delivery_id), "destination": str(destination_id), "reason": reason},
        }
        for referral_id, intake_id, delivery_id, destination_id in discarded
    ]
    append_events(session, events, cipher=cipher)
    return len(events)


def _with_attempts(session: Session, rows: Sequence[Row[Delivery, Destination]]) -> list[Seen]:
    of: Mapping[UUID, list[DeliveryAttempt]] = {delivery.id: [] for delivery, _ in rows}
    statement = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(of)).order_by(DeliveryAttempt.attempt)
    for attempt in session.scalars(statement):
        of[attempt.delivery_id].append(attempt)
    return [Seen(delivery, destination, of[delivery.id]) for delivery, destination in rows]
