"""Finds identities that do not open, and those that the hashes beside them do not name.

The service's role may change both, because it corrects identities. With other hashes a look-up misses the patient, or
takes one for another, and no list shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher, UnreadableIdentityError, birth_date_hash, open_identity
from shared.store.operations.audit import EVERYTHING, Found
from shared.store.patients.record_numbers import mrn_hashes

PAGE = 1000

# One statement, one moment: the hashes of a referral belong to those of its form.
_PAGE = text("""
    select intakes.id, intakes.facility, identity, intakes.mrn_hash, intakes.patient_hash,
        birth_date_hash, referrals.id is null as alone, referrals.mrn_hash as mrn_hash_of_referral,
        referrals.patient_hash as patient_hash_of_referral
    from intakes left join referrals on referrals.intake_id = intakes.id
    where intakes.id > :after and identity_erased_at is null order by intakes.id limit :limit
""")


@dataclass(slots=True)
class IdentityFindings:
    """Intakes whose identity does not open, and those whose hashes are not of the identity."""

    unreadable: Found = field(default_factory=Found)
    misnamed: Found = field(default_factory=Found)


def identity_findings(session: Session, cipher: IdentityCipher, lookup_keys: Sequence[bytes]) -> IdentityFindings:
    """Look at every identity that was not erased, and compare the hashes beside it, which may be of any key given."""
    found = IdentityFindings()
    for row in _rows(session):
        try:
            identity = open_identity(cipher, row.identity, row.id)
        except (UnreadableIdentityError, ValueError):
            found.unreadable.add(row.id)
            continue
        if lookup_keys and not any(_is_named(row, identity, key) for key in lookup_keys):
            found.misnamed.add(row.id)
    return found


def _rows(session: Session) -> Iterator[Row[Any]]:
    after = EVERYTHING
    while rows := session.execute(_PAGE, {"after": after, "limit": PAGE}).all():
        yield from rows
        after = rows[-1].id


def _is_named(row: Row[Any], identity: dict[str, Any], key: bytes) -> bool:
    """Say whether the hashes are of this identity; releases before had none of birth dates and normalised numbers."""
    number = mrn_hashes(key, row.facility, identity["mrn"])
    born = birth_date_hash(key, row.facility, identity["birth_date"])
    return (
        row.mrn_hash == number.as_typed
        and row.patient_hash in (None, number.normalised)
        and row.birth_date_hash in (None, born)
        and (row.alone or row.mrn_hash_of_referral == row.mrn_hash)
        and (row.alone or row.patient_hash_of_referral == row.patient_hash)
    )
