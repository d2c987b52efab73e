"""Deprecation and Sunset headers for forms with answers of an earlier version, which are accepted for a time only."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from werkzeug.http import http_date

from shared.clinical.protocol import Protocol

# When 2026.2.0 made the answers of 2026.1.0 old ones.
DEPRECATED_AT = datetime(2026, 11, 29, tzinfo=UTC)
LAST_SECOND = time(23, 59, 59)


def deprecation_headers(protocol: Protocol, forms: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return Deprecation (RFC 9745) and Sunset (RFC 8594) if the answers of a form have an old one, else nothing.

    Where several end on different days, the first of these is the sunset.
    """
    last = {
        field.old_answers_until
        for answers in forms
        for field in protocol.form.renewed
        if field.old_answers_until is not None and answers.get(field.name) in field.old_answers
    }
    if not last:
        return {}
    sunset = datetime.combine(min(last), LAST_SECOND, UTC)
    return {"Deprecation": f"@{int(DEPRECATED_AT.timestamp())}", "Sunset": http_date(sunset)}
