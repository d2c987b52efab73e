"""When imaging is due, as a referral's row keeps it: by study, a time in UTC, or null where there is no limit."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def written_due(due: Mapping[str, datetime | None]) -> dict[str, str | None]:
    """Return the times as the column `imaging_due` has them."""
    return {study: utc(moment) if moment else None for study, moment in due.items()}


def read_due(written: Mapping[str, Any] | None) -> dict[str, datetime | None]:
    """Return the times of the column `imaging_due`; none for a referral of release 0.1.0."""
    return {study: datetime.fromisoformat(moment) if moment else None for study, moment in (written or {}).items()}


def utc(moment: datetime) -> str:
    """Return a moment in UTC, as events and rows have it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
