"""Queries on the access log: by patient, by person, by time; every page is a walk along an index, newest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.patients.record_numbers import mrn_hashes

_COLUMNS = """
    access_log.id, access_log.number, access_log.at, access_log.key_id, access_log.person, access_log.role,
    access_log.facility, access_log.address, access_log.request_id, access_log.method, access_log.route,
    access_log.status, access_log.referral_id, access_log.intake_id, access_log.patients
"""
_FACILITIES = text("select name from facilities order by name limit 1000")


@dataclass(frozen=True, slots=True)
class StoredAccess:
    """A record as it is stored; `patients` are keyed hashes."""

    id: int
    number: int | None
    at: datetime
    key_id: str
    person: str | None
    role: str
    facility: str | None
    address: str
    request_id: str
    method: str
    route: str
    status: int
    referral_id: UUID | None
    intake_id: UUID | None
    patients: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class AccessPosition:
    """A place in the log: before the record that has these."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class AccessQuery:
    """What is asked for; `facility` limits it to accesses with keys of that facility, unless a patient is named."""

    patients: Sequence[bytes] | None = None
    person: str | None = None
    facility: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def hashes_of(session: Session, keys: Sequence[bytes], mrn: str, facility: str | None) -> list[bytes]:
    """Return the hashes that a record number has in `facility`, or in every one, by each of the look-up keys."""
    facilities = [facility] if facility is not None else session.scalars(_FACILITIES).all()
    hashed = (mrn_hashes(key, each, mrn) for each in facilities for key in keys)
    return sorted({value for each in hashed for value in (each.normalised, each.as_typed)})


def search(session: Session, query: AccessQuery, *, limit: int, before: AccessPosition | None) -> list[StoredAccess]:
    """Return the first `limit` numbered records before a position, the newest first."""
    values: dict[str, Any] = {"limit": limit, "person": query.person}
    conditions = ["access_log.number is not null"]
    if query.person is not None:
        conditions.append("access_log.person = :person")
    if query.patients is not None:
        statement = _of_patients(query, before, conditions)
        values["patients"] = list(query.patients)
    else:
        if query.facility is not None:
            conditions.append("access_log.facility = :facility")
        conditions += _bounds("access_log.at", "access_log.id", query, before)
        statement = f"""
            select {_COLUMNS} from access_log where {" and ".join(conditions)}
            order by access_log.at desc, access_log.id desc limit :limit
        """  # noqa: S608 - names of columns and parameters
    values |= {"facility": query.facility, "since": query.since, "until": query.until}
    values |= {"before_at": before and before.at, "before_id": before and before.id}
    return [StoredAccess(*row) for row in session.execute(text(statement), _named(statement, values))]


def _of_patients(query: AccessQuery, before: AccessPosition | None, conditions: Sequence[str]) -> str:
    """Return the walk for each hash, merged: a page reads no more of each patient than a page."""
    seen = " and ".join(["found.patient = each.patient", *_bounds("found.at", "found.access_id", query, before)])
    return f"""
        select {_COLUMNS} from (
            select distinct walked.at, walked.access_id
            from unnest(cast(:patients as bytea[])) as each (patient)
            cross join lateral (
                select found.at, found.access_id from access_log_patients as found
                join access_log on access_log.id = found.access_id
                where {seen} and {" and ".join(conditions)}
                order by found.at desc, found.access_id desc limit :limit
            ) as walked
            order by walked.at desc, walked.access_id desc limit :limit
        ) as page join access_log on access_log.id = page.access_id
        order by page.at desc, page.access_id desc
    """  # noqa: S608 - names of columns and parameters


def _bounds(at: str, place: str, query: AccessQuery, before: AccessPosition | None) -> Iterator[str]:
    if query.since is not None:
        yield f"{at} >= :since"
    if query.until is not None:
        yield f"{at} < :until"
    if before is not None:
        yield f"({at}, {place}) < (:before_at, :before_id)"


def _named(statement: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


def walk(session: Session, *, since: datetime | None, until: datetime | None, batch: int) -> Iterator[StoredAccess]:
    """Yield every numbered record of a time, in the order of their numbers, a batch at a time."""
    bounds = "".join(f" and {each}" for each in _bounds("at", "id", AccessQuery(since=since, until=until), None))
    statement = f"""
        select {_COLUMNS} from access_log where number > :after{bounds} order by number limit :limit
    """  # noqa: S608 - names of columns and parameters
    values = _named(statement, {"since": since, "until": until, "limit": batch})
    after = 0
    while found := [StoredAccess(*row) for row in session.execute(text(statement), {**values, "after": after})]:
        yield from found
        after = found[-1].number or after
