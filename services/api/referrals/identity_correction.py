"""Computes the corrected identities of a chain of forms."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from services.api.context import AppContext
from services.api.http.problems import ProblemError
from services.api.schemas.patients import identity_of
from shared.platform.crypto import birth_date_hash
from shared.store.patients.identities import Correction, KeptIdentity, new_correction_id, reason_row
from shared.store.patients.record_numbers import mrn_hashes

NEEDED = frozenset({"mrn", "birth_date"})  # what makes an identity where there is none to mend


def corrections(
    context: AppContext, chain: Sequence[KeptIdentity], intake_id: UUID, patient: Mapping[str, Any], reason: str
) -> list[Correction]:
    """Return the correction of each version that `patient` changes, each keeping what else its own identity says.

    A version whose identity does not open gets a new one if record number and birth date are given; without them it is
    left as it is, but for the one that was asked for: that is 409.
    """
    (asked,) = (each for each in chain if each.intake_id == intake_id)
    return list(_corrections(context, chain, asked, patient, reason))


def _corrections(
    context: AppContext, chain: Sequence[KeptIdentity], asked: KeptIdentity, patient: Mapping[str, Any], reason: str
) -> Iterator[Correction]:
    for kept in chain:
        identity = identity_of(context.cipher, kept.identity, kept.intake_id)
        if identity is None and not patient.keys() >= NEEDED:
            if kept is asked:
                raise ProblemError(
                    409,
                    "The identity cannot be read. Give at least patient.mrn and patient.birth_date.",
                    kind="identity-unreadable",
                )
            continue
        fields = [name for name, value in patient.items() if identity is None or identity.get(name) != value]
        if fields:
            yield _correction(context, kept, {**(identity or {}), **patient}, fields, reason)


def _correction(
    context: AppContext, kept: KeptIdentity, identity: dict[str, Any], fields: Sequence[str], reason: str
) -> Correction:
    key, correction_id = context.settings.lookup_key, new_correction_id()
    hashed = mrn_hashes(key, kept.facility, identity["mrn"])
    return Correction(
        before=kept,
        fields=sorted(fields),
        identity=context.cipher.seal(orjson.dumps(identity), row=str(kept.intake_id)),
        mrn_hash=hashed.as_typed,
        patient_hash=hashed.normalised,
        birth_date_hash=birth_date_hash(key, kept.facility, identity["birth_date"]),
        id=correction_id,
        reason=context.cipher.seal(reason.encode(), row=reason_row(correction_id)),
    )
