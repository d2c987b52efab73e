"""Reads the system clock; everything else is handed a time, or asks the database."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this module is where it is allowed
