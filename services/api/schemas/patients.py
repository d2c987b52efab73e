"""Unseals identities for authorised readers; one that cannot be unsealed is logged and fails nothing else."""

from typing import Any
from uuid import UUID

import structlog

from shared.platform.crypto import ERASED, IdentityCipher, UnreadableIdentityError, open_identity
from shared.platform.metrics import FAILURES

log = structlog.get_logger(__name__)


def identity_of(cipher: IdentityCipher, sealed: bytes, intake_id: UUID) -> dict[str, Any] | None:
    """Return the identity that is sealed for an intake, or None where it was erased or does not open."""
    if sealed == ERASED:
        return None
    try:
        return open_identity(cipher, sealed, intake_id)
    except UnreadableIdentityError:
        log.error("identity.unreadable", intake_id=str(intake_id))
        FAILURES.labels("identity").inc()
        return None
