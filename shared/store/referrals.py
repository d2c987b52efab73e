"""Referrals: read whole, a page of a worklist at a time, and changed together with the event that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from shared.clinical.lifecycle import OPEN_STATUSES
from shared.store.events import Due, record
from shared.store.scope import Scope
from shared.tables import Decision, Event, Intake, Referral, one_of


@dataclass(frozen=True, slots=True)
class StoredReferral:
    """A referral with what belongs to it; `priority` is its place in PRIORITIES, `record` None if triage failed."""

    id: UUID
    intake_id: UUID
    facility: str
    queue: str
    priority: int
    status: str
    pattern: str
    headline: str
    red_flags: Sequence[str]
    created_at: datetime
    acknowledge_by: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    escalation_level: int
    downgrade_proposed: bool
    superseded_by: UUID | None
    version: int
    overdue: bool
    identity: bytes
    sex_at_birth: str | None
    record: dict[str, Any] | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a worklist: after the referral that has these."""

    priority: int
    acknowledge_by: datetime
    id: UUID


# Written out, not as parameters, so that the planner can tell that the partial index of open referrals applies.
IS_OPEN: ColumnElement[bool] = literal_column(one_of("referrals.status", OPEN_STATUSES), Boolean)
IS_OVERDUE = and_(Referral.status == "queued", Referral.acknowledge_by < func.now())

_ORDER = (Referral.priority, Referral.acknowledge_by, Referral.id)
_COLUMNS = (
    *(Referral.id, Referral.intake_id, Referral.facility, Referral.queue, Referral.priority, Referral.status),
    *(Referral.pattern, Referral.headline, Referral.red_flags, Referral.created_at, Referral.acknowledge_by),
    *(Referral.acknowledged_by, Referral.acknowledged_at, Referral.escalation_level, Referral.downgrade_proposed),
    *(Referral.superseded_by, Referral.version, IS_OVERDUE.label("overdue"), Intake.identity),
    Intake.answers["answers"]["sex_at_birth"].astext.label("sex_at_birth"),
    *(Decision.record, Decision.decided_at),
)
_WHOLE = (
    select(*_COLUMNS)
    .join(Intake, Intake.id == Referral.intake_id)
    .outerjoin(Decision, Decision.intake_id == Referral.intake_id)
)


def find(session: Session, referral_id: UUID, scope: Scope) -> StoredReferral | None:
    """Return the referral as it stands, if `scope` sees it."""
    row = session.execute(_WHOLE.where(Referral.id == referral_id, *scope.referrals())).one_or_none()
    return StoredReferral(*row) if row else None


def find_to_change(session: Session, referral_id: UUID, scope: Scope) -> StoredReferral | None:
    """Return the referral as `find` does, and keep others from changing it until this transaction ends."""
    locked = select(Referral.id).where(Referral.id == referral_id, *scope.referrals()).with_for_update()
    if session.execute(locked).one_or_none() is None:
        return None
    return find(session, referral_id, scope)


def page(queue: str, status: str, scope: Scope, *, limit: int, after: Position | None) -> Select[Any]:
    """Return the query for a page of a worklist: `status` is `open`, `all` or one status."""
    of = [Referral.queue == queue, *_of_status(status), *scope.referrals()]
    if after is not None:
        place = (literal(after.priority), literal(after.acknowledge_by), literal(after.id))
        of.append(tuple_(*_ORDER) > tuple_(*place))
    return _WHOLE.where(*of).order_by(*_ORDER).limit(limit)


def worklist(
    session: Session, queue: str, status: str, scope: Scope, *, limit: int, after: Position | None
) -> list[StoredReferral]:
    """Return the first `limit` referrals of a queue after a position, by priority, due time and id."""
    statement = page(queue, status, scope, limit=limit, after=after)
    return [StoredReferral(*row) for row in session.execute(statement)]


def change(
    session: Session, referral: StoredReferral, values: Mapping[str, Any], event: Mapping[str, Any]
) -> list[Due]:
    """Change the referral and add the event (type, by, data) that says so; return what is to be delivered of it."""
    session.execute(
        update(Referral)
        .where(Referral.id == referral.id)
        .values(version=Referral.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return record(session, [{"referral_id": referral.id, "intake_id": referral.intake_id, **event}])


def timeline(session: Session, referral_id: UUID, scope: Scope) -> Sequence[Event] | None:
    """Return everything that happened to the referral, oldest first; None if `scope` does not see it.

    What has no number yet stands at the end.
    """
    seen = select(Referral.id).where(Referral.id == referral_id, *scope.referrals())
    if session.execute(seen).one_or_none() is None:
        return None
    in_order = select(Event).where(Event.referral_id == referral_id).order_by(Event.number.nulls_last(), Event.id)
    return session.scalars(in_order).all()


def _of_status(status: str) -> list[ColumnElement[bool]]:
    if status == "all":
        return []
    return [IS_OPEN if status == "open" else Referral.status == status]
