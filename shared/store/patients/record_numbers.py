"""Hashes of a record number, by which the forms of one patient are found without naming the patient."""

from dataclasses import dataclass

import orjson

from shared.clinical.text import record_number
from shared.platform.crypto import keyed_hash


@dataclass(frozen=True, slots=True)
class RecordNumberHashes:
    """The hash of the normalised number, a row's `patient_hash`, and of the number as typed, its `mrn_hash`.

    Rows of the release before have the latter alone until the former is backfilled, so a look-up tries both.
    """

    normalised: bytes
    as_typed: bytes


def mrn_hashes(key: bytes, facility: str, typed: str) -> RecordNumberHashes:
    """Return by what a patient of `facility` is recognised; `key` is LOOKUP_KEY."""
    as_typed = _mrn_hash(key, facility, typed)
    normal = record_number(typed)
    return RecordNumberHashes(as_typed if normal == typed else _mrn_hash(key, facility, normal), as_typed)


def _mrn_hash(key: bytes, facility: str, mrn: str) -> bytes:
    return keyed_hash(key, orjson.dumps(["mrn", facility, mrn]))
