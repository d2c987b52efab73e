"""Intakes: stored at most once under each of their names, and found again."""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table as SqlTable
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.store.scope import Scope
from shared.tables import Decision, IdempotencyKey, Intake, Referral
from shared.task_queues import Lane

KEYS_ARE_KEPT = timedelta(days=7)


class NameTakenError(Exception):
    """The id, the external id or the idempotency key of an intake names one already; nothing was stored."""


class NothingToAmendError(Exception):
    """The intake that a new one amends is not there, or is another facility's; nothing was stored."""


@dataclass(frozen=True, slots=True)
class NewIntake:
    """An intake to be stored: clinical answers in `answers`, everything that identifies in `identity`, sealed."""

    id: UUID
    facility: str
    external_id: str | None
    amends: UUID | None
    lane: Lane
    today: date
    answers: dict[str, Any]
    identity: bytes
    mrn_hash: bytes
    body_hash: bytes
    request_id: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An intake that has a name already, and the hash by which its body is compared."""

    id: UUID
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredIntake:
    """An intake with what became of it; `record` and the referral's columns are None until then."""

    id: UUID
    external_id: str | None
    amends: UUID | None
    facility: str
    status: str
    lane: Lane
    received_at: datetime
    triaged_at: datetime | None
    record: dict[str, Any] | None
    decided_at: datetime | None
    referral_id: UUID | None
    referral_queue: str | None
    referral_status: str | None


_TABLE = cast(SqlTable, Intake.__table__)
_ADD = insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.received_at)  # made once: this is the hot path
_STORED = (
    select(
        *(
            Intake.id,
            Intake.external_id,
            Intake.amends,
            Intake.facility,
            Intake.status,
            Intake.lane,
            Intake.received_at,
            Intake.triaged_at,
        ),
        *(Decision.record, Decision.decided_at),
        *(Referral.id.label("referral_id"), Referral.queue, Referral.status.label("referral_status")),
    )
    .outerjoin(Decision, Decision.intake_id == Intake.id)
    .outerjoin(Referral, Referral.intake_id == Intake.id)
)
_YOUNG = IdempotencyKey.created_at > func.now() - KEYS_ARE_KEPT


def add(session: Session, new: NewIntake, idempotency_key: str | None) -> datetime:
    """Store `new` and return when it was received.

    Raises NameTakenError if it has a name that is taken, NothingToAmendError if it amends what its facility never sent.
    """
    columns = {each.name: getattr(new, each.name) for each in fields(new)}
    columns["first_version"] = None if new.amends is None else _first_version(session, new.facility, new.amends)
    received_at: datetime | None = session.execute(_ADD, columns).scalar_one_or_none()
    if received_at is None:
        raise NameTakenError
    if idempotency_key is not None:
        remember(session, new.facility, idempotency_key, new.id)
    return received_at


def remember(session: Session, facility: str, idempotency_key: str, intake_id: UUID) -> None:
    """Let the key name the intake from now on; raise NameTakenError if it names one and is not too old."""
    named = insert(IdempotencyKey).values(facility=facility, key=idempotency_key, intake_id=intake_id)
    renamed = named.on_conflict_do_update(
        index_elements=[IdempotencyKey.facility, IdempotencyKey.key],
        set_={"intake_id": intake_id, "created_at": func.now()},
        where=~_YOUNG,
    )
    if session.execute(renamed.returning(IdempotencyKey.intake_id)).one_or_none() is None:
        raise NameTakenError


def find_by_key(session: Session, facility: str, idempotency_key: str | None) -> Earlier | None:
    """Return the intake that the key names, if it was remembered in the last seven days."""
    if idempotency_key is None:
        return None
    statement = select(Intake.id, Intake.body_hash).join(IdempotencyKey, IdempotencyKey.intake_id == Intake.id)
    named = (IdempotencyKey.facility == facility, IdempotencyKey.key == idempotency_key, _YOUNG)
    row = session.execute(statement.where(*named)).one_or_none()
    return Earlier(*row) if row else None


def find_by_name(session: Session, new: NewIntake) -> Earlier | None:
    """Return the intake that has the facility's external id of `new`, or is `new`."""
    same = Intake.id == new.id
    if new.external_id is not None:
        same = or_(same, (Intake.facility == new.facility) & (Intake.external_id == new.external_id))
    row = session.execute(select(Intake.id, Intake.body_hash).where(same)).one_or_none()
    return Earlier(*row) if row else None


def find(session: Session, intake_id: UUID, scope: Scope) -> StoredIntake | None:
    """Return the intake as it stands, if `scope` sees it."""
    row = session.execute(_STORED.where(Intake.id == intake_id, *scope.intakes())).one_or_none()
    return StoredIntake(*row) if row else None


def is_triaged(session: Session, intake_id: UUID) -> bool:
    """Say whether triage has ended for the intake."""
    return session.scalar(select(Intake.status).where(Intake.id == intake_id)) == "triaged"


def forget_old_keys(session: Session) -> int:
    """Remove idempotency keys older than seven days; return how many."""
    forgotten = session.execute(delete(IdempotencyKey).where(~_YOUNG).returning(IdempotencyKey.key))
    return len(forgotten.all())


def _first_version(session: Session, facility: str, amended: UUID) -> UUID:
    first = func.coalesce(Intake.first_version, Intake.id)
    found: UUID | None = session.scalar(select(first).where(Intake.id == amended, Intake.facility == facility))
    if found is None:
        raise NothingToAmendError
    return found
