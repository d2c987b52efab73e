"""Referrals: read whole by id, and changed together with the event that says so."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import OPEN_STATUSES
from shared.platform.crypto import IdentityCipher
from shared.platform.raw_statement import RawStatement
from shared.store.access.scope import Scope
from shared.store.event_log.events import DueDelivery, append_events
from shared.store.related import DUPLICATES, SUPERSEDES, Duplicate, Ended, duplicates, ended, ending_of
from shared.tables import Decision, Intake, Referral


@dataclass(frozen=True, slots=True)
class StoredReferral:
    """A referral with what belongs to it; `priority` is its index in PRIORITIES, `record` None if triage failed."""

    id: UUID
    reference: str
    intake_id: UUID
    facility: str
    test: bool
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
    contact_by: datetime | None
    ambulance: bool | None
    imaging_due: dict[str, str | None] | None
    contacted_by: str | None
    contacted_at: datetime | None
    contacted_outcome: str | None
    overdue: bool
    contact_overdue: bool
    identity: bytes
    patient: bytes
    sex_at_birth: str | None
    age_years: int | None
    record: dict[str, Any] | None
    decided_at: datetime | None
    supersedes: UUID | None
    ended: Ended | None
    duplicates: Sequence[Duplicate]


# The tables, not the classes: nothing that is read here becomes an object, and the ORM would prepare for it each time.
_TABLE = cast(SqlTable, Referral.__table__)
REFERRAL, _INTAKE, _DECISION = _TABLE.c, Intake.__table__.c, Decision.__table__.c

IS_OVERDUE = and_(REFERRAL.status == "queued", REFERRAL.acknowledge_by < func.now())

IS_CONTACT_OVERDUE = func.coalesce(
    and_(
        or_(*(REFERRAL.status == status for status in OPEN_STATUSES)),
        REFERRAL.contacted_at.is_(None),
        REFERRAL.contact_by < func.now(),
    ),
    false(),
)

ORDER = (REFERRAL.priority, REFERRAL.acknowledge_by, REFERRAL.id)
_COLUMNS = (
    *(REFERRAL.id, REFERRAL.reference, REFERRAL.intake_id, REFERRAL.facility, REFERRAL.test),
    *(REFERRAL.queue, REFERRAL.priority, REFERRAL.status),
    *(REFERRAL.pattern, REFERRAL.headline, REFERRAL.red_flags, REFERRAL.created_at, REFERRAL.acknowledge_by),
    *(REFERRAL.acknowledged_by, REFERRAL.acknowledged_at, REFERRAL.escalation_level, REFERRAL.downgrade_proposed),
    *(REFERRAL.superseded_by, REFERRAL.version, REFERRAL.contact_by, REFERRAL.ambulance, REFERRAL.imaging_due),
    *(REFERRAL.contacted_by, REFERRAL.contacted_at, REFERRAL.contacted_outcome, IS_OVERDUE.label("overdue")),
    *(IS_CONTACT_OVERDUE.label("contact_overdue"), _INTAKE.identity),
    func.coalesce(_INTAKE.patient_hash, _INTAKE.mrn_hash).label("patient"),
    _INTAKE.answers["answers"]["sex_at_birth"].astext.label("sex_at_birth"),
    _INTAKE.answers["age_years"].as_integer().label("age_years"),
    *(_DECISION.record, _DECISION.decided_at),
)
WHOLE: Select[Any] = (
    select(*_COLUMNS, REFERRAL.mrn_hash, REFERRAL.patient_hash, REFERRAL.form_received_at)
    .join(Intake.__table__, _INTAKE.id == REFERRAL.intake_id)
    .outerjoin(Decision.__table__, _DECISION.intake_id == REFERRAL.intake_id)
)


def find(connection: Connection | Session, referral_id: UUID, scope: Scope) -> StoredReferral | None:
    """Return the referral as it stands, if `scope` sees it."""
    row = _one(scope.kind).execute(connection, {"id": referral_id, **scope.values}).fetchone()
    return stored(row) if row else None


def find_to_change(session: Session, referral_id: UUID, scope: Scope) -> StoredReferral | None:
    """Return the referral as `find` does, and keep others from changing it until this transaction ends."""
    if _lock(scope.kind).execute(session, {"id": referral_id, **scope.values}).fetchone() is None:
        return None
    return find(session, referral_id, scope)


# To build such a statement takes longer than to run it, so each is built once for all scopes of a kind.
@cache
def _one(kind: Scope) -> RawStatement:
    return RawStatement(shown(WHOLE.where(REFERRAL.id == bindparam("id"), *kind.referrals())))


@cache
def _lock(kind: Scope) -> RawStatement:
    return RawStatement(select(REFERRAL.id).where(REFERRAL.id == bindparam("id"), *kind.referrals()).with_for_update())


def shown(referrals: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """Return the query for the same referrals in their order, with what else there is of each one's case."""
    page = referrals.subquery("page").c
    columns = (page[column.name] for column in _COLUMNS)
    return select(*columns, SUPERSEDES, ended("page"), DUPLICATES).order_by(*(page[column.name] for column in ORDER))


def stored(row: Iterable[Any]) -> StoredReferral:
    """Return the referral of a row that a query of `shown` returned."""
    *columns, ending, found = row
    return StoredReferral(*[*columns, ending_of(ending), duplicates(found)])


def find_all(connection: Connection | Session, ids: Collection[UUID]) -> list[StoredReferral]:
    """Return these referrals in the order of a worklist; whether they may be seen is for the caller to say."""
    return [stored(row) for row in _these().execute(connection, {"ids": list(ids)})] if ids else []


def references_of(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the references of these referrals by their ids; whether they may be seen is for the caller to say."""
    found = session.execute(select(REFERRAL.id, REFERRAL.reference).where(REFERRAL.id.in_(ids)))
    return {row.id: row.reference for row in found}


@cache
def _these() -> RawStatement:
    return RawStatement(shown(WHOLE.where(REFERRAL.id == any_(bindparam("ids", type_=ARRAY(Uuid))))))


def change(
    session: Session,
    referral: StoredReferral,
    values: Mapping[str, Any],
    *events: Mapping[str, Any],
    cipher: IdentityCipher,
) -> list[DueDelivery]:
    """Change the referral and add the events (type, by, data) that say so; return what is to be delivered of them.

    `cipher` seals what a person wrote in them.
    """
    session.execute(update(_TABLE).where(REFERRAL.id == referral.id).values(version=REFERRAL.version + 1, **values))
    names = {"referral_id": referral.id, "intake_id": referral.intake_id}
    return append_events(session, [{**names, **event} for event in events], cipher=cipher)


def is_seen(session: Session, referral_id: UUID, scope: Scope) -> bool:
    """Say whether there is such a referral in `scope`."""
    seen = select(Referral.id).where(Referral.id == referral_id, *scope.referrals())
    return session.execute(seen).one_or_none() is not None
