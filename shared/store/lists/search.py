"""Search: the referrals that a person means who has a reference, the sender's id, or a patient's record number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shared.platform.raw_statement import RawStatement
from shared.store.access import facilities
from shared.store.access.scope import Scope
from shared.store.names.external_ids import external_id_hashes
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.referrals import StoredReferral, find_all
from shared.store.sql import load
from shared.tables import IS_OPEN, PATIENT

LAST = UUID(int=2**128 - 1)  # an id that no intake has: the newest stands before it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person knows: one of the three. `lookup_keys` are LOOKUP_KEY and the one before."""

    lookup_keys: Sequence[bytes]
    reference: str | None = None
    external_id: str | None = None
    mrn: str | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of referrals, the newest first, and the intake after which the next one begins; None on the last."""

    referrals: Sequence[StoredReferral]
    after: UUID | None


# Each is one step into an index for each facility, and what follows there up to the limit, whoever may see it.
_BY_REFERENCE = RawStatement(
    text("select intake_id from referrals where reference = :reference and intake_id < :after")
)
_BY_EXTERNAL_ID = RawStatement(text(load("find_external_id")))
_BY_PATIENT = RawStatement(
    text(f"""
    select distinct found.id from unnest(cast(:hashes as bytea[])) as of (hash)
    cross join lateral (
        select id from intakes where {PATIENT} = of.hash and id < :after
        order by id desc limit (select cast(:limit as int))
    ) as found
    order by found.id desc limit (select cast(:limit as int))
""")  # noqa: S608 - a constant
)
# The referrals of these intakes that may be seen, and the open one of the chain of each that is superseded.
_REFERRALS = RawStatement(text(load("find_referrals", is_open=IS_OPEN.replace("status", "referrals.status"))))


def search(connection: Connection, wanted: Wanted, scope: Scope, *, test: bool, limit: int, after: UUID | None) -> Hits:
    """Return what `scope` sees of the newest `limit` forms that are meant, after an intake; of tests, or of none.

    A page may have fewer, where others may not be seen; `after` then goes on.
    """
    intakes = _intakes(connection, wanted, scope, test=test, limit=limit + 1, after=after or LAST)
    page = intakes[:limit]
    given = {"intakes": page, "test": test, **scope.values}
    ids = [row[0] for row in _REFERRALS.execute(connection, given)] if page else []
    newest_first = sorted(find_all(connection, ids), key=lambda each: (each.created_at, each.id), reverse=True)
    return Hits(newest_first, page[-1] if len(intakes) > limit else None)


def _intakes(
    connection: Connection, wanted: Wanted, scope: Scope, *, test: bool, limit: int, after: UUID
) -> list[UUID]:
    given: dict[str, Any] = {"limit": limit, "after": after}
    if wanted.reference is not None:
        found = _BY_REFERENCE.execute(connection, {**given, "reference": wanted.reference})
        return [row[0] for row in found]
    names = [each for each in facilities.names(connection, test=test) if scope.facility in (None, each)]
    if wanted.external_id is not None:
        hashed = [(name, each) for name in names for each in _external_id_hashes(wanted, name)]
        given |= {"facilities": names, "external_id": wanted.external_id}
        given["hashed_facilities"] = [name for name, _ in hashed]
        given["external_id_hashes"] = [each for _, each in hashed]
        return [row[0] for row in _BY_EXTERNAL_ID.execute(connection, given)]
    hashes = {each for name in names for each in _hashes(wanted, name)}
    return [row[0] for row in _BY_PATIENT.execute(connection, {**given, "hashes": sorted(hashes)})]


def _external_id_hashes(wanted: Wanted, facility: str) -> list[bytes]:
    return external_id_hashes(wanted.lookup_keys, facility, wanted.external_id or "")


def _hashes(wanted: Wanted, facility: str) -> list[bytes]:
    found = [mrn_hashes(key, facility, wanted.mrn or "") for key in wanted.lookup_keys]
    return [each for hashes in found for each in (hashes.normalised, hashes.as_typed)]
