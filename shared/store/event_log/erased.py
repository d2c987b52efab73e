"""The digest of what is left of an event whose free text was erased.

Its digest in the chain was computed with that text, and cannot be computed again: it is believed as it is stored, and
the digests and seals of all later events cover it. What is left is covered by a digest of its own.
"""

import hashlib
from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

_RESTS = text("""
    select number, rest from events join event_erasures on event_id = events.id
    where number > :after and number <= :last
""")


def rest_of(number: int, *content: Any) -> bytes:
    """Return the SHA-256 of an event (type, at, referral, intake, by, data, actor) as it is after an erasure."""
    written = orjson.dumps(["erased", number, *content], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(written).digest()


def rests_between(session: Session, after: int, last: int) -> dict[int, bytes]:
    """Return, by number, what the erased events of a stretch of the chain are compared with."""
    return {row.number: row.rest for row in session.execute(_RESTS, {"after": after, "last": last})}


def without(data: dict[str, Any], members: Collection[str] | None) -> dict[str, Any]:
    """Return the data of an event without these members, or without any where it is None."""
    return {} if members is None else {name: value for name, value in data.items() if name not in members}
