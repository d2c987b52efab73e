"""A sender's own id of a form: hashed with a key so that it names one intake of its facility, and sealed to be shown.

Rows that an earlier release wrote, or SEALING_FORMAT 1, have it in the clear, so what looks for one looks for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
import structlog

from shared.platform.crypto import IdentityCipher, UnreadableIdentityError, keyed_hash
from shared.platform.metrics import FAILURES

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExternalIdColumns:
    """An external id as the columns of a new intake have it."""

    clear: str | None
    hash: bytes | None
    sealed: bytes | None


NO_EXTERNAL_ID = ExternalIdColumns(None, None, None)


def columns_of(
    given: str | None, facility: str, intake_id: UUID, *, key: bytes, cipher: IdentityCipher
) -> ExternalIdColumns:
    """Return how an external id is stored for a new intake; in the clear beside a release that reads no other."""
    if given is None:
        return NO_EXTERNAL_ID
    hashed = external_id_hash(key, facility, given)
    if not cipher.is_bound:
        return ExternalIdColumns(given, hashed, None)
    return ExternalIdColumns(None, hashed, sealed_external_id(cipher, given, intake_id))


def external_id_hash(key: bytes, facility: str, given: str) -> bytes:
    """Return by what an external id is compared with others of its facility; `key` is LOOKUP_KEY."""
    return keyed_hash(key, orjson.dumps(["external_id", facility, given]))


def external_id_hashes(keys: Sequence[bytes], facility: str, given: str) -> list[bytes]:
    """Return the hashes that rows may have of an external id, by LOOKUP_KEY and the one before."""
    return [external_id_hash(key, facility, given) for key in keys]


def sealed_external_id(cipher: IdentityCipher, given: str, intake_id: UUID) -> bytes:
    """Return an external id sealed for its intake."""
    return cipher.seal(given.encode(), row=external_id_row(intake_id))


def opened_external_id(cipher: IdentityCipher, sealed: bytes, intake_id: UUID) -> str | None:
    """Return what was sealed; None where it does not open, which is logged and fails nothing else."""
    try:
        return cipher.open(sealed, row=external_id_row(intake_id)).decode()
    except UnreadableIdentityError:
        log.error("external_id.unreadable", intake_id=str(intake_id))
        FAILURES.labels("text").inc()
        return None


def external_id_row(intake_id: UUID) -> str:
    """Return the name of the row for which an external id is sealed."""
    return f"external_id:{intake_id}"
