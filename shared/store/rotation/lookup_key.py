"""Hashes record numbers and birth dates with a new LOOKUP_KEY, from the sealed identities.

The hash of a form's body cannot be made anew, since no body is kept as it came: it is compared by both keys while the
one before is set. The access log's own hashes are part of its chain and stay; its index gains the new ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.platform.crypto import ERASED, IdentityCipher, UnreadableIdentityError, birth_date_hash, open_identity
from shared.platform.database import Sessions
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.rotation.batches import BATCH, Batch, Walked, locked, walk

_PAGE = text("""
    select id, facility, identity, mrn_hash, patient_hash, birth_date_hash from intakes
    where id > :after and identity <> :erased order by id limit :limit
""")
_INTAKES = text("""
    update intakes set mrn_hash = given.typed, patient_hash = given.patient, birth_date_hash = given.birth
    from unnest(cast(:ids as uuid[]), cast(:typed as bytea[]), cast(:patients as bytea[]), cast(:births as bytea[]),
        cast(:identities as bytea[])) as given (id, typed, patient, birth, identity)
    where intakes.id = given.id and intakes.identity = given.identity returning intakes.id
""")
_REFERRALS = text("""
    update referrals set mrn_hash = given.typed, patient_hash = given.patient
    from unnest(cast(:ids as uuid[]), cast(:typed as bytea[]), cast(:patients as bytea[])) as given (id, typed, patient)
    where referrals.intake_id = given.id
""")
_ACCESSES = text("""
    insert into access_log_patients (patient, at, access_id)
    select given.patient, found.at, found.access_id
    from (
        select distinct * from unnest(cast(:before as bytea[]), cast(:patients as bytea[])) as pair (before, patient)
    ) as given
    join access_log_patients as found on found.patient = given.before
    on conflict do nothing
""")


@dataclass(frozen=True, slots=True)
class LookupKeys:
    """The key to hash with, and the one before, by which a row is recognised as hashed rightly."""

    new: bytes = field(repr=False)
    before: bytes = field(repr=False)


def rehash(sessions: Sessions, cipher: IdentityCipher, keys: LookupKeys, limit: int = BATCH) -> Walked:
    """Hash every identity anew that has other hashes; one that does not open, or fits neither key, stays as it is."""
    return walk(sessions, partial(_step, cipher, keys), limit)


def _step(cipher: IdentityCipher, keys: LookupKeys, session: Session, after: UUID, limit: int) -> Batch:
    found = session.execute(_PAGE, {"after": after, "limit": limit, "erased": ERASED}).all()
    hashed = [(row, _hashes(cipher, keys, row)) for row in found]
    anew = [(row, hashes) for row, hashes in hashed if hashes and hashes != tuple(row[3:])]
    changed = _store(session, anew)
    closed = sum(hashes is None for _, hashes in hashed)
    return Batch(changed, len(anew) - changed, closed, found[-1].id if len(found) == limit else None)


def _store(session: Session, anew: Sequence[tuple[Row[Any], tuple[bytes, bytes, bytes]]]) -> int:
    """Store the hashes of rows that nobody has locked and whose identity is as it was read; return how many."""
    free = locked(session, "intakes", [row.id for row, _ in anew])
    given = _columns([(row, hashes) for row, hashes in anew if row.id in free])
    stored = set(session.scalars(_INTAKES, given)) if free else set()
    if stored:
        of_stored = _columns([(row, hashes) for row, hashes in anew if row.id in stored])
        session.execute(_REFERRALS, of_stored)
        session.execute(_ACCESSES, of_stored)
    return len(stored)


def _columns(anew: Sequence[tuple[Row[Any], tuple[bytes, bytes, bytes]]]) -> dict[str, Any]:
    return {
        "ids": [row.id for row, _ in anew],
        "identities": [row.identity for row, _ in anew],
        "before": [row.patient_hash or row.mrn_hash for row, _ in anew],
        "typed": [typed for _, (typed, _, _) in anew],
        "patients": [patient for _, (_, patient, _) in anew],
        "births": [birth for _, (_, _, birth) in anew],
    }


def _hashes(cipher: IdentityCipher, keys: LookupKeys, row: Row[Any]) -> tuple[bytes, bytes, bytes] | None:
    try:
        identity = open_identity(cipher, row.identity, row.id)
    except (UnreadableIdentityError, ValueError):
        return None
    new = mrn_hashes(keys.new, row.facility, identity["mrn"])
    if row.mrn_hash not in (new.as_typed, mrn_hashes(keys.before, row.facility, identity["mrn"]).as_typed):
        return None
    return new.as_typed, new.normalised, birth_date_hash(keys.new, row.facility, identity["birth_date"])
