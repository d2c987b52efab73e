"""The checks of `referrals doctor` on API keys: what expires soon, and what was replaced and is used all the same."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from services.cli.checks.findings import Finding, found
from shared.store.access.keys import expiring, replaced_in_use
from shared.tables import ApiKey

SOON = timedelta(days=30)


def check_api_keys(session: Session) -> Iterator[Finding]:
    """Yield whether keys expire soon, and whether senders still use keys that were rotated."""
    soon = expiring(session, SOON)
    says = f"{_named(soon)} expire within {SOON.days} days" if soon else f"none expires within {SOON.days} days"
    yield found("API keys", not soon, says, "referrals keys rotate ID", otherwise="warn")
    late = replaced_in_use(session)
    if late:
        says = f"{_named(late)} were replaced and are still used"
        yield Finding("rotated keys", "warn", says, "give their users the new keys before these expire")


def _named(keys: Sequence[ApiKey]) -> str:
    shown = ", ".join(f"{key.id} ({key.label or key.facility or key.role})" for key in keys[:5])
    return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown
