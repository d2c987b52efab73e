"""Referrals: read whole, a page of a worklist at a time, and changed together with the event that says so."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import OPEN_STATUSES, STATUSES
from shared.platform.crypto import IdentityCipher
from shared.platform.raw_statement import RawStatement
from shared.store.access.facilities import TEST
from shared.store.access.scope import Scope
from shared.store.event_log.events import DueDelivery, append_events
from shared.store.related import DUPLICATES, SUPERSEDES, Duplicate, Ended, duplicates, ended, ending_of
from shared.tables import IS_FAILED, IS_OPEN, Decision, Facility, Intake, Referral


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


@dataclass(frozen=True, slots=True)
class WorklistPosition:
    """A place in a worklist: after the referral that has these."""

    priority: int
    acknowledge_by: datetime
    id: UUID


# The tables, not the classes: nothing that is read here becomes an object, and the ORM would prepare for it each time.
_TABLE = cast(SqlTable, Referral.__table__)
_REFERRAL, _INTAKE, _DECISION = _TABLE.c, Intake.__table__.c, Decision.__table__.c

IS_OVERDUE = and_(_REFERRAL.status == "queued", _REFERRAL.acknowledge_by < func.now())

IS_CONTACT_OVERDUE = func.coalesce(
    and_(
        or_(*(_REFERRAL.status == status for status in OPEN_STATUSES)),
        _REFERRAL.contacted_at.is_(None),
        _REFERRAL.contact_by < func.now(),
    ),
    false(),
)

_ORDER = (_REFERRAL.priority, _REFERRAL.acknowledge_by, _REFERRAL.id)
_COLUMNS = (
    *(_REFERRAL.id, _REFERRAL.reference, _REFERRAL.intake_id, _REFERRAL.facility, _REFERRAL.test),
    *(_REFERRAL.queue, _REFERRAL.priority, _REFERRAL.status),
    *(_REFERRAL.pattern, _REFERRAL.headline, _REFERRAL.red_flags, _REFERRAL.created_at, _REFERRAL.acknowledge_by),
    *(_REFERRAL.acknowledged_by, _REFERRAL.acknowledged_at, _REFERRAL.escalation_level, _REFERRAL.downgrade_proposed),
    *(_REFERRAL.superseded_by, _REFERRAL.version, _REFERRAL.contact_by, _REFERRAL.ambulance, _REFERRAL.imaging_due),
    *(_REFERRAL.contacted_by, _REFERRAL.contacted_at, _REFERRAL.contacted_outcome, IS_OVERDUE.label("overdue")),
    *(IS_CONTACT_OVERDUE.label("contact_overdue"), _INTAKE.identity),
    func.coalesce(_INTAKE.patient_hash, _INTAKE.mrn_hash).label("patient"),
    _INTAKE.answers["answers"]["sex_at_birth"].astext.label("sex_at_birth"),
    _INTAKE.answers["age_years"].as_integer().label("age_years"),
    *(_DECISION.record, _DECISION.decided_at),
)
_WHOLE: Select[Any] = (
    select(*_COLUMNS, _REFERRAL.mrn_hash, _REFERRAL.patient_hash, _REFERRAL.form_received_at)
    .join(Intake.__table__, _INTAKE.id == _REFERRAL.intake_id)
    .outerjoin(Decision.__table__, _DECISION.intake_id == _REFERRAL.intake_id)
)


def find(connection: Connection | Session, referral_id: UUID, scope: Scope) -> StoredReferral | None:
    """Return the referral as it stands, if `scope` sees it."""
    row = _one(scope.kind).execute(connection, {"id": referral_id, **scope.values}).fetchone()
    return _stored(row) if row else None


def find_to_change(session: Session, referral_id: UUID, scope: Scope) -> StoredReferral | None:
    """Return the referral as `find` does, and keep others from changing it until this transaction ends."""
    if _lock(scope.kind).execute(session, {"id": referral_id, **scope.values}).fetchone() is None:
        return None
    return find(session, referral_id, scope)


# To build such a statement takes longer than to run it, so each is built once for all scopes of a kind.
@cache
def _one(kind: Scope) -> RawStatement:
    return RawStatement(_shown(_WHOLE.where(_REFERRAL.id == bindparam("id"), *kind.referrals())))


@cache
def _lock(kind: Scope) -> RawStatement:
    return RawStatement(
        select(_REFERRAL.id).where(_REFERRAL.id == bindparam("id"), *kind.referrals()).with_for_update()
    )


@cache
def _page(status: str, kind: Scope, *, follows: bool) -> RawStatement:
    return RawStatement(_shown(_walk(status, kind, follows=follows)))


def _shown(referrals: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """Return the query for the same referrals in their order, with what else there is of each one's case."""
    page = referrals.subquery("page").c
    columns = (page[column.name] for column in _COLUMNS)
    return select(*columns, SUPERSEDES, ended("page"), DUPLICATES).order_by(*(page[column.name] for column in _ORDER))


def _stored(row: Iterable[Any]) -> StoredReferral:
    *columns, ending, found = row
    return StoredReferral(*[*columns, ending_of(ending), duplicates(found)])


def _walk(status: str, kind: Scope, *, follows: bool) -> Select[Any] | CompoundSelect[Any]:
    """Return the query for pages of one kind.

    Every page is a walk along an index that has its order; of several statuses the walks for each are merged.
    """
    of = [_REFERRAL.queue == bindparam("queue"), *kind.referrals(), *_of_kind(kind)]
    if follows:
        place = (bindparam(f"after_{column.name}", type_=column.type) for column in _ORDER)
        of.append(tuple_(*_ORDER) > tuple_(*place))
    most = bindparam("limit", type_=Integer)
    walk = _WHOLE.where(*of).order_by(*_ORDER).limit(most)
    statuses = {"open": OPEN_STATUSES, "all": STATUSES}.get(status, (status,))
    if len(statuses) == 1:
        return walk.where(_REFERRAL.status == status)
    merged = union_all(*(walk.where(_REFERRAL.status == each) for each in statuses))
    return merged.order_by(*(merged.selected_columns[column.name] for column in _ORDER)).limit(most)


def _of_kind(kind: Scope) -> list[ColumnElement[bool]]:
    """Return the condition that real referrals are seen, or tests.

    All of one facility are of one kind, which is known before the first is read: none has to be passed over.
    """
    test = bindparam("test", type_=Boolean)
    if kind.facility is None:
        return [_REFERRAL.test == test]
    is_test = select(Facility.name).where(Facility.name == bindparam("facility"), Facility.kind == TEST).exists()
    return [is_test == test]


def find_all(connection: Connection | Session, ids: Collection[UUID]) -> list[StoredReferral]:
    """Return these referrals in the order of a worklist; whether they may be seen is for the caller to say."""
    return [_stored(row) for row in _these().execute(connection, {"ids": list(ids)})] if ids else []


def references_of(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the references of these referrals by their ids; whether they may be seen is for the caller to say."""
    found = session.execute(select(_REFERRAL.id, _REFERRAL.reference).where(_REFERRAL.id.in_(ids)))
    return {row.id: row.reference for row in found}


@cache
def _these() -> RawStatement:
    return RawStatement(_shown(_WHOLE.where(_REFERRAL.id == any_(bindparam("ids", type_=ARRAY(Uuid))))))


def worklist(
    connection: Connection | Session,
    queue: str,
    status: str,
    scope: Scope,
    *,
    limit: int,
    after: WorklistPosition | None,
    test: bool = False,
) -> list[StoredReferral]:
    """Return the first `limit` referrals of a queue after a position, by priority, due time and id.

    `status` is `open`, `all` or one status. With `test` those of test facilities, and no others.
    """
    place = {} if after is None else {f"after_{name}": value for name, value in asdict(after).items()}
    statement = _page(status, scope.kind, follows=after is not None)
    found = statement.execute(connection, {"queue": queue, "limit": limit, "test": test, **scope.values, **place})
    return [_stored(row) for row in found]


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
    session.execute(update(_TABLE).where(_REFERRAL.id == referral.id).values(version=_REFERRAL.version + 1, **values))
    names = {"referral_id": referral.id, "intake_id": referral.intake_id}
    return append_events(session, [{**names, **event} for event in events], cipher=cipher)


def is_seen(session: Session, referral_id: UUID, scope: Scope) -> bool:
    """Say whether there is such a referral in `scope`."""
    seen = select(Referral.id).where(Referral.id == referral_id, *scope.referrals())
    return session.execute(seen).one_or_none() is not None


def failed_triage(connection: Connection | Session, scope: Scope, *, limit: int) -> list[StoredReferral]:
    """Return open referrals that no rule has decided, most pressing first; tests for their own facility alone."""
    found = _failed(scope.kind).execute(connection, {"limit": limit, **scope.values})
    return [_stored(row) for row in found]


@cache
def _failed(kind: Scope) -> RawStatement:
    is_failed_and_open = literal_column(f"{IS_FAILED} and referrals.{IS_OPEN}", Boolean)
    seen = kind.referrals() if kind.facility is not None else [*kind.referrals(), ~_REFERRAL.test]
    walk = _WHOLE.where(is_failed_and_open, *seen).order_by(*_ORDER).limit(bindparam("limit", type_=Integer))
    return RawStatement(_shown(walk))
