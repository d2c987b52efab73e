"""Backfills the hash of the normalised record number in intakes of the release before, and in their referrals.

Safe to stop at any time and to do twice or by two at once, while forms arrive: what is left has no `patient_hash`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher, UnreadableIdentityError
from shared.store.patients.record_numbers import mrn_hashes

FIRST = UUID(int=0)

# What another transaction has locked is left for the next sweep.
_LEFT = text("""
    select id, facility, identity, mrn_hash from intakes where patient_hash is null and id > :after
    order by id limit :limit for no key update skip locked
""")
_HASHED = "unnest(cast(:ids as uuid[]), cast(:hashes as bytea[])) as hashed (id, patient_hash)"
# The intake first: a transaction that adds a referral of it meanwhile has its lock, or reads the new hash.
_INTAKES = text(f"update intakes set patient_hash = hashed.patient_hash from {_HASHED} where intakes.id = hashed.id")  # noqa: S608
_REFERRALS = text(
    f"update referrals set patient_hash = hashed.patient_hash from {_HASHED} "  # noqa: S608 - constants
    "where intake_id = hashed.id and referrals.patient_hash is null"
)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: rows hashed and rows whose identity these keys do not fit; `last` is None at the end."""

    hashed: int
    unreadable: int
    last: UUID | None


def backfill(session: Session, cipher: IdentityCipher, lookup_key: bytes, *, after: UUID, limit: int) -> Step:
    """Hash at most `limit` record numbers of intakes that follow `after`, in the order of their ids."""
    rows = session.execute(_LEFT, {"after": after, "limit": limit}).all()
    hashes = {row.id: found for row in rows if (found := _hash_of(row, cipher, lookup_key))}
    if hashes:
        values = {"ids": list(hashes), "hashes": list(hashes.values())}
        session.execute(_INTAKES, values)
        session.execute(_REFERRALS, values)
    return Step(len(hashes), len(rows) - len(hashes), _last(rows, limit))


def _hash_of(row: Row[Any], cipher: IdentityCipher, lookup_key: bytes) -> bytes | None:
    """Return the hash of the normalised number; None where the identity or the hash is of another key."""
    try:
        typed = orjson.loads(cipher.open(row.identity, row=str(row.id)))["mrn"]
    except (UnreadableIdentityError, ValueError, LookupError):
        return None
    hashes = mrn_hashes(lookup_key, row.facility, typed)
    return hashes.normalised if hashes.as_typed == row.mrn_hash else None


def _last(rows: Sequence[Row[Any]], limit: int) -> UUID | None:
    last: UUID | None = rows[-1].id if len(rows) == limit else None
    return last
