"""Stores an intake at most once under each of its names, and finds it again."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import orjson
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import Connection, LargeBinary, Text, bindparam, exists, func, or_, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.platform.raw_statement import RawStatement
from shared.platform.task_queues import Lane
from shared.store.access.scope import Scope
from shared.store.names.idempotency_keys import IS_KEPT, NAME, StoredKey, values_of
from shared.store.related import Ended, ended, ending_of
from shared.tables import Decision, IdempotencyKey, Intake, Referral


class NameTakenError(Exception):
    """The id, the external id or the idempotency key of an intake names one already; nothing was stored."""


class NothingToAmendError(Exception):
    """The intake that a new one amends is not there, or is another facility's; nothing was stored."""


@dataclass(frozen=True, slots=True)
class AsSent:
    """By what a new intake is compared with stored ones beside its columns; never stored itself."""

    external_id: str | None = None
    previous_external_id_hash: bytes | None = None  # by LOOKUP_KEY_PREVIOUS
    previous_body_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewIntake:
    """An intake to be stored: clinical answers in `answers`, everything that identifies in `identity`, sealed."""

    id: UUID
    facility: str
    external_id: str | None  # in the clear, beside a release that reads no other
    external_id_hash: bytes | None
    external_id_sealed: bytes | None
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
    sent: AsSent = AsSent()

    def has_body_of(self, earlier: "Earlier") -> bool:
        """Say whether an intake that is stored came with the same body."""
        return earlier.body_hash in (self.body_hash, self.sent.previous_body_hash)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender gets back for an intake that is stored."""

    id: UUID
    external_id: str | None
    external_id_sealed: bytes | None
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
    external_id_sealed: bytes | None
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
            Intake.external_id_sealed,
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

# The two ways to store an intake are made once: this is the hot path. Each is one statement, so it stores all or
# nothing, in one round trip. The second lets the key name the intake first. Where the key is taken nothing follows;
# where another name of the intake is taken, the key names nothing and its foreign key undoes it.
# The unique indexes know a name as it is stored now. As it may have been stored before it is looked for: what stored it
# so does not run any more, or knows both.
_TABLE = cast(SqlTable, Intake.__table__)
_NAMES = [each.name for each in fields(NewIntake) if each.name != "sent"]
_COLUMNS = [*(_TABLE.c[name] for name in _NAMES), _TABLE.c.first_version]
_OTHER = _TABLE.alias("other").c
_OF_FACILITY = _OTHER.facility == bindparam("facility", type_=Text)
_IS_FREE = (
    ~exists().where(_OF_FACILITY, _OTHER.external_id == bindparam("given_external_id", type_=Text)),
    ~exists().where(_OF_FACILITY, _OTHER.external_id_hash == bindparam("previous_external_id_hash", type_=LargeBinary)),
)
_NEW = select(*(bindparam(each.name, type_=each.type) for each in _COLUMNS)).where(*_IS_FREE)
_ADD, _ADD_NAMED = (
    RawStatement(insert(_TABLE).from_select(_COLUMNS, new).on_conflict_do_nothing().returning(_TABLE.c.received_at))
    for new in (_NEW, _NEW.select_from(NAME.cte()))
)


def add(connection: Connection | Session, new: NewIntake, idempotency_key: StoredKey | None) -> Receipt:
    """Store `new`.

    Raises NameTakenError if it has a name that is taken, NothingToAmendError if it amends what its facility never sent.
    """
    columns = {name: getattr(new, name) for name in _NAMES}
    columns["answers"] = orjson.dumps(new.answers).decode()
    columns["first_version"] = None if new.amends is None else _first_version(connection, new.facility, new.amends)
    columns["given_external_id"] = new.sent.external_id
    columns["previous_external_id_hash"] = new.sent.previous_external_id_hash
    columns |= values_of(idempotency_key) if idempotency_key else {}
    statement = _ADD if idempotency_key is None else _ADD_NAMED
    with naming():
        added = statement.execute(connection, columns).fetchone()
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
    return Receipt(new.id, new.sent.external_id, None, "received", new.lane, received_at, new.answers)


def find_by_keys(
    session: Session, facility: str, keys: Collection[StoredKey | None]
) -> dict[StoredKey | None, Earlier]:
    """Return the intakes that the keys name, by key; only keys that were remembered in the last seven days."""
    spellings = {spelling: key for key in keys if key is not None for spelling in key.spellings}
    if not spellings:
        return {}
    statement = select(IdempotencyKey.key, *_EARLIER).join(Intake, IdempotencyKey.intake_id == Intake.id)
    named = (IdempotencyKey.facility == facility, IdempotencyKey.key.in_(spellings), IS_KEPT)
    return {spellings[key]: Earlier(*row) for key, *row in session.execute(statement.where(*named))}


def find_by_names(session: Session, facility: str, new: Sequence[NewIntake]) -> dict[UUID, Earlier]:
    """Return, by the id of each of the facility's `new`, the intake that has its external id, or is the same."""
    same = Intake.id.in_([each.id for each in new])
    names = [name for each in new for name in _spellings(each)]
    named = or_(
        Intake.external_id.in_([name for name in names if isinstance(name, str)]),
        Intake.external_id_hash.in_([name for name in names if isinstance(name, bytes)]),
    )
    statement = select(Intake.external_id_hash, *_EARLIER).where(or_(same, (Intake.facility == facility) & named))
    found = [(hashed, Earlier(*row)) for hashed, *row in session.execute(statement)]
    by_id = {each.id: each for _, each in found}
    by_name = {name: each for hashed, each in found for name in (each.external_id, hashed) if name is not None}
    earlier = ((each.id, by_id.get(each.id) or _first(by_name, _spellings(each))) for each in new)
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


def _spellings(new: NewIntake) -> list[str | bytes]:
    """Return every way in which a row may have the external id of a new intake."""
    names = (new.sent.external_id, new.external_id_hash, new.sent.previous_external_id_hash)
    return [name for name in names if name is not None]


def _first(by_name: Mapping[str | bytes, Earlier], names: Sequence[str | bytes]) -> Earlier | None:
    return next((by_name[name] for name in names if name in by_name), None)


def _stored(row: Sequence[Any]) -> StoredIntake:
    *columns, ending = row
    return StoredIntake(*[*columns, ending_of(ending)])


def _first_version(connection: Connection | Session, facility: str, amended: UUID) -> UUID:
    first = func.coalesce(Intake.first_version, Intake.id)
    found: UUID | None = connection.scalar(select(first).where(Intake.id == amended, Intake.facility == facility))
    if found is None:
        raise NothingToAmendError
    return found
