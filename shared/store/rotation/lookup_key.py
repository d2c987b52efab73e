"""Hashes record numbers, birth dates and external ids with a new LOOKUP_KEY, from what is sealed.

The hash of a form's body cannot be made anew, since no body is kept as it came: it is compared by both keys while the
one before is set. The access log's own hashes are part of its chain and stay; its index gains the new ones.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.platform.crypto import ERASED, IdentityCipher, UnreadableIdentityError, birth_date_hash, open_identity
from shared.platform.database import Sessions
from shared.store.names.external_ids import external_id_hash, external_id_row
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.rotation.batches import BATCH, Batch, Walked, locked, walk

_PAGE = text("""
    select id, facility, identity, external_id, external_id_sealed,
        mrn_hash, patient_hash, birth_date_hash, external_id_hash from intakes
    where id > :after and identity <> :erased order by id limit :limit
""")
_INTAKES = text("""
    update intakes set mrn_hash = given.typed, patient_hash = given.patient, birth_date_hash = given.birth,
        external_id_hash = given.external_id
    from unnest(cast(:ids as uuid[]), cast(:typed as bytea[]), cast(:patients as bytea[]), cast(:births as bytea[]),
        cast(:external_ids as bytea[]), cast(:identities as bytea[]))
        as given (id, typed, patient, birth, external_id, identity)
    where intakes.id = given.id and intakes.identity = given.identity and not exists (
        select from intakes as other where other.facility = intakes.facility
        and other.external_id_hash = given.external_id and other.id <> given.id
    )
    returning intakes.id
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
class _Hashes:
    """The hashes of an intake, in the order of its columns."""

    typed: bytes
    patient: bytes
    birth: bytes
    external_id: bytes | None


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
    anew = [(row, hashes) for row, hashes in hashed if hashes and astuple(hashes) != tuple(row[5:])]
    changed = _store(session, anew)
    closed = sum(hashes is None for _, hashes in hashed)
    return Batch(changed, len(anew) - changed, closed, found[-1].id if len(found) == limit else None)


def _store(session: Session, anew: Sequence[tuple[Row[Any], _Hashes]]) -> int:
    """Store the hashes of rows that nobody has locked and whose identity is as it was read; return how many."""
    free = locked(session, "intakes", [row.id for row, _ in anew])
    given = _columns([(row, hashes) for row, hashes in anew if row.id in free])
    stored = set(session.scalars(_INTAKES, given)) if free else set()
    if stored:
        of_stored = _columns([(row, hashes) for row, hashes in anew if row.id in stored])
        session.execute(_REFERRALS, of_stored)
        session.execute(_ACCESSES, of_stored)
    return len(stored)


def _columns(anew: Sequence[tuple[Row[Any], _Hashes]]) -> dict[str, Any]:
    return {
        "ids": [row.id for row, _ in anew],
        "identities": [row.identity for row, _ in anew],
        "before": [row.patient_hash or row.mrn_hash for row, _ in anew],
        "typed": [hashes.typed for _, hashes in anew],
        "patients": [hashes.patient for _, hashes in anew],
        "births": [hashes.birth for _, hashes in anew],
        "external_ids": [hashes.external_id for _, hashes in anew],
    }


def _hashes(cipher: IdentityCipher, keys: LookupKeys, row: Row[Any]) -> _Hashes | None:
    try:
        identity = open_identity(cipher, row.identity, row.id)
        external_id = _external_id(cipher, row)
    except (UnreadableIdentityError, ValueError):
        return None
    new = mrn_hashes(keys.new, row.facility, identity["mrn"])
    if row.mrn_hash not in (new.as_typed, mrn_hashes(keys.before, row.facility, identity["mrn"]).as_typed):
        return None
    return _Hashes(
        new.as_typed,
        new.normalised,
        birth_date_hash(keys.new, row.facility, identity["birth_date"]),
        None if external_id is None else external_id_hash(keys.new, row.facility, external_id),
    )


def _external_id(cipher: IdentityCipher, row: Row[Any]) -> str | None:
    clear: str | None = row.external_id
    if clear is not None or row.external_id_sealed is None:
        return clear
    return cipher.open(row.external_id_sealed, row=external_id_row(row.id)).decode()
