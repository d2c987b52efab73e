"""The access log: a record for each answer that shows identities and for each refusal, numbered and chained as events.

A record is added in the transaction of what it tells of. Numbers are given after the commit, under one lock, and each
digest covers the record and the digest before it, so a change of what was numbered shows.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.platform.raw_statement import RawStatement
from shared.store.numbering import NOTHING, Head, Numbering

NUMBERING = 7_205_734_188  # the advisory lock under which records get their numbers
MAX_BATCH = 200  # of as many patients as a page has each
MAX_ROUNDS = 25

_COLUMNS = "key_id, person, role, facility, address, request_id, method, route, status, referral_id, intake_id"
_VALUES = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
_CONTENT = f"at, {_COLUMNS}, patients"
_SHOWN = RawStatement(
    text(f"insert into access_log ({_COLUMNS}, patients) values ({_VALUES}, cast(:patients as bytea[]))")  # noqa: S608
)
_REFUSED = RawStatement(
    text(f"""
    with patient as (
        select coalesce(patient_hash, mrn_hash) as hash from intakes where id = cast(:intake_id as uuid)
        union all
        select coalesce(intakes.patient_hash, intakes.mrn_hash) from referrals
        join intakes on intakes.id = referrals.intake_id where referrals.id = cast(:referral_id as uuid)
    )
    insert into access_log ({_COLUMNS}, patients)
    select cast(:key_id as text), cast(:person as text), cast(:role as text), cast(:facility as text),
        cast(:address as text), cast(:request_id as text), cast(:method as text), cast(:route as text),
        cast(:status as smallint), cast(:referral_id as uuid), cast(:intake_id as uuid),
        array(select hash from patient)
    where :status <> 404 or exists (select from patient)
""")  # noqa: S608 - constants
)
ANY_UNNUMBERED = "(select true from access_log where number is null order by id limit 1) is not null"
_ANY = text(f"select {ANY_UNNUMBERED}")
_LAST = text("select number, digest from access_log where number is not null order by number desc limit 1")
_UNNUMBERED = text(f"select id, {_CONTENT} from access_log where number is null order by id limit {MAX_BATCH}")  # noqa: S608
_NUMBER = text("""
    with given as (
        select * from unnest(cast(:ids as bigint[]), cast(:numbers as bigint[]), cast(:digests as bytea[]))
            as given (id, number, digest)
    ), numbered as (
        update access_log set number = given.number, digest = given.digest from given where access_log.id = given.id
        returning access_log.id, access_log.at, access_log.patients
    )
    insert into access_log_patients (patient, at, access_id)
    select distinct patient, at, id from numbered cross join unnest(patients) as patient
""")
_PAGE = text(f"select number, digest, {_CONTENT} from access_log where number > :after order by number limit 1000")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Access:
    """Who asked for what, and how it was answered; `route` is a pattern, never the address that was asked for."""

    key_id: str
    person: str | None
    role: str
    facility: str | None
    address: str
    request_id: str
    method: str
    route: str
    status: int
    referral_id: UUID | None = None
    intake_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AccessChain:
    """What holds: the last record up to which it does, and the number of the first that does not, if there is one."""

    head: Head
    broken: int | None


def record_shown(connection: Connection | Session, access: Access, patients: Iterable[bytes]) -> None:
    """Add the record of an answer that shows the identities of `patients`, given by their keyed hashes."""
    _SHOWN.execute(connection, {**asdict(access), "patients": sorted(set(patients))})


def record_refused(connection: Connection | Session, access: Access) -> None:
    """Add the record of a refusal, with the patient of the row that it names; of a 404 only where there is that row."""
    _REFUSED.execute(connection, asdict(access))


def check(session: Session) -> AccessChain:
    """Compute every digest again, a page at a time."""
    before = NOTHING
    while found := session.execute(_PAGE, {"after": before.number}).all():
        for row in found:
            expected = before.number + 1
            if row.number != expected or row.digest != _digest(before.digest, expected, *row[2:]):
                return AccessChain(before, expected)
            before = Head(expected, row.digest)
    return AccessChain(before, None)


def _digest(before: bytes, place: int, *content: Any) -> bytes:
    *rest, patients = content
    written = orjson.dumps([place, *rest, [bytes(each).hex() for each in patients]], option=orjson.OPT_UTC_Z)
    return hashlib.sha256(before + written).digest()


_NUMBERING = Numbering(
    failed="access.numbering_failed",
    lock=NUMBERING,
    batch=MAX_BATCH,
    rounds=MAX_ROUNDS,
    any_unnumbered=_ANY,
    last=_LAST,
    unnumbered=_UNNUMBERED,
    number=_NUMBER,
    digest=_digest,
)
number_records, last = _NUMBERING.catch_up, _NUMBERING.head
