"""Stores an intake at most once under each of its names, and finds it again."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import Connection, bindparam, delete, func, or_, select, tuple_
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.platform.raw_statement import RawStatement
from shared.platform.task_queues import Lane
from shared.store.access.scope import Scope
from shared.store.related import Ended, ended, ending_of
from shared.tables import Decision, IdempotencyKey, Intake, Referral

KEYS_ARE_KEPT = timedelta(days=7)
MAX_KEYS = 10_000  # forgotten in one transaction


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
    mrn_hash: bytes  # of the record number as typed
    patient_hash: bytes | None  # of the normalised record number; see shared/store/patients/record_numbers.py
    birth_date_hash: bytes | None  # None in a version of a form of release 0.1.0
    body_hash: bytes
    request_id: str
    traceparent: str | None
    previous_body_hash: bytes | None = None  # by LOOKUP_KEY_PREVIOUS; compared with, never stored

    def has_body_of(self, earlier: "Earlier") -> bool:
        """Say whether an intake that is stored came with the same body."""
        return earlier.body_hash in (self.body_hash, self.previous_body_hash)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender gets back for an intake that is stored."""

    id: UUID
    external_id: str | None
    status: str
    lane: Lane
    received_at: datetime
    answers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Earlier(Receipt):
    """An intake that has a name already, and the hash by which its body is compared."""

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
    answers: dict[str, Any]
    record: dict[str, Any] | None
    decided_at: datetime | None
    referral_id: UUID | None
    referral_queue: str | None
    referral_status: str | None
    reference: str | None
    ended: Ended | None


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
            Intake.answers,
        ),
        *(Decision.record, Decision.decided_at),
        *(Referral.id.label("referral_id"), Referral.queue, Referral.status.label("referral_status")),
        *(Referral.reference, ended("referrals")),
    )
    .outerjoin(Decision, Decision.intake_id == Intake.id)
    .outerjoin(Referral, Referral.intake_id == Intake.id)
)
# Made once: senders ask again and again.
_STORED_ONE = _STORED.where(Intake.id == bindparam("id"))
_STORED_ONE_OF_FACILITY = _STORED_ONE.where(Intake.facility == bindparam("facility"))
_STATUS = select(Intake.status).where(Intake.id == bindparam("id"))
_EARLIER = [getattr(Intake, each.name) for each in fields(Earlier)]
_YOUNG = IdempotencyKey.created_at > func.now() - KEYS_ARE_KEPT

# The two ways to store an intake are made once: this is the hot path. Each is one statement, so it stores all or
# nothing, in one round trip. The second lets the key name the intake first. Where the key is taken nothing follows;
# where another name of the intake is taken, the key names nothing and its foreign key undoes it.
_TABLE = cast(SqlTable, Intake.__table__)
_NAMES = [each.name for each in fields(NewIntake) if each.name != "previous_body_hash"]
_COLUMNS = [*(_TABLE.c[name] for name in _NAMES), _TABLE.c.first_version]
_NAME = (
    insert(IdempotencyKey)
    .values(facility=bindparam("facility"), key=bindparam("idempotency_key"), intake_id=bindparam("id"))
    .on_conflict_do_update(
        index_elements=[IdempotencyKey.facility, IdempotencyKey.key],
        set_={"intake_id": bindparam("id"), "created_at": func.now()},
        where=~_YOUNG,
    )
    .returning(IdempotencyKey.intake_id)
)
_ADD = RawStatement(
    insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.received_at), [each.name for each in _COLUMNS]
)
_ADD_NAMED = RawStatement(
    insert(_TABLE)
    .from_select(
        _COLUMNS, select(*(bindparam(each.name, type_=each.type) for each in _COLUMNS)).select_from(_NAME.cte())
    )
    .on_conflict_do_nothing()
    .returning(_TABLE.c.received_at)
)


def add(connection: Connection | Session, new: NewIntake, idempotency_key: str | None) -> Receipt:
    """Store `new`.

    Raises NameTakenError if it has a name that is taken, NothingToAmendError if it amends what its facility never sent.
    """
    columns = {name: getattr(new, name) for name in _NAMES}
    columns["answers"] = orjson.dumps(new.answers).decode()
    columns["first_version"] = None if new.amends is None else _first_version(connection, new.facility, new.amends)
    statement = _ADD if idempotency_key is None else _ADD_NAMED
    with naming():
        added = statement.execute(connection, columns | {"idempotency_key": idempotency_key}).fetchone()
    if added is None:
        raise NameTakenError
    return receipt(new, added[0])


@contextmanager
def naming() -> Iterator[None]:
    """Raise NameTakenError where the block lets a key name an intake that could not be stored after all."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, ForeignKeyViolation):
            raise NameTakenError from None
        raise


def receipt(new: NewIntake, received_at: datetime) -> Receipt:
    """Return the receipt of an intake that was stored at `received_at`."""
    return Receipt(new.id, new.external_id, "received", new.lane, received_at, new.answers)


def remember(session: Session, facility: str, idempotency_key: str, intake_id: UUID) -> bool:
    """Let the key name the intake from now on; return False if it names one already, and is not too old."""
    names = {"facility": facility, "idempotency_key": idempotency_key, "id": intake_id}
    return session.execute(_NAME, names).one_or_none() is not None


def find_by_keys(session: Session, facility: str, keys: Collection[str | None]) -> dict[str | None, Earlier]:
    """Return the intakes that the keys name, by key; only keys that were remembered in the last seven days."""
    keys = [key for key in keys if key is not None]
    if not keys:
        return {}
    statement = select(IdempotencyKey.key, *_EARLIER).join(Intake, IdempotencyKey.intake_id == Intake.id)
    named = (IdempotencyKey.facility == facility, IdempotencyKey.key.in_(keys), _YOUNG)
    return {key: Earlier(*row) for key, *row in session.execute(statement.where(*named))}


def find_by_names(session: Session, facility: str, new: Sequence[NewIntake]) -> dict[UUID, Earlier]:
    """Return, by the id of each of the facility's `new`, the intake that has its external id, or is the same."""
    same = Intake.id.in_([each.id for each in new])
    external_ids = [each.external_id for each in new if each.external_id is not None]
    named = (Intake.facility == facility) & Intake.external_id.in_(external_ids)
    found = [Earlier(*row) for row in session.execute(select(*_EARLIER).where(or_(same, named)))]
    by_id = {each.id: each for each in found}
    by_external_id = {each.external_id: each for each in found if each.external_id}
    earlier = ((each.id, by_id.get(each.id) or by_external_id.get(each.external_id or "")) for each in new)
    return {new_id: each for new_id, each in earlier if each is not None}


def find(connection: Connection | Session, intake_id: UUID, scope: Scope) -> StoredIntake | None:
    """Return the intake as it stands, if `scope` sees it."""
    statement = _STORED_ONE if scope.facility is None else _STORED_ONE_OF_FACILITY
    row = connection.execute(statement, {"id": intake_id, "facility": scope.facility}).one_or_none()
    return _stored(row) if row else None


def find_all(connection: Connection | Session, ids: Collection[UUID]) -> dict[UUID, StoredIntake]:
    """Return these intakes by id; whether they may be seen is for the caller to say."""
    found = connection.execute(_STORED.where(Intake.id.in_(ids)))
    return {row.id: _stored(row) for row in found}


def is_triaged(connection: Connection | Session, intake_id: UUID) -> bool:
    """Say whether triage has ended for the intake."""
    return connection.scalar(_STATUS, {"id": intake_id}) == "triaged"


def delete_old_keys(session: Session) -> int:
    """Remove the oldest idempotency keys of those that are older than seven days, at most MAX_KEYS; return how many.

    Bounded, so that what gathered while no watchman ran is gone in some steps, and not in one that takes too long.
    """
    names = (IdempotencyKey.facility, IdempotencyKey.key)
    oldest = select(*names).where(~_YOUNG).order_by(IdempotencyKey.created_at).limit(MAX_KEYS)
    forgotten = session.execute(delete(IdempotencyKey).where(tuple_(*names).in_(oldest), ~_YOUNG).returning(names[1]))
    return len(forgotten.all())


def _stored(row: Sequence[Any]) -> StoredIntake:
    *columns, ending = row
    return StoredIntake(*[*columns, ending_of(ending)])


def _first_version(connection: Connection | Session, facility: str, amended: UUID) -> UUID:
    first = func.coalesce(Intake.first_version, Intake.id)
    found: UUID | None = connection.scalar(select(first).where(Intake.id == amended, Intake.facility == facility))
    if found is None:
        raise NothingToAmendError
    return found
