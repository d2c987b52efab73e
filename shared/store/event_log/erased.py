"""The MAC of what is left of an event whose data was erased.

Its digest in the chain was computed with that text, and cannot be computed again: it is believed as it is stored, and
the digests and seals of all later events cover it. What is left is covered by a MAC of its own, with CHAIN_KEY: so who
may erase cannot pass off a change as an erasure.
"""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.platform.crypto import keyed_hash

_RESTS = text("""
    select number, rest from events join event_erasures on event_id = events.id
    where number > :after and number <= :last
""")


def rest_of(key: bytes, number: int, *content: Any) -> bytes:
    """Return the MAC of an event (type, at, referral, intake, by, data, actor) as it is after an erasure."""
    written = orjson.dumps(["erased", number, *content], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return keyed_hash(key, written)


def is_rest_of(rest: bytes, key: bytes | None, number: int, *content: Any) -> bool:
    """Say whether an event is as its erasure left it; without the key that is believed."""
    return key is None or rest == rest_of(key, number, *content)


def rests_between(session: Session, after: int, last: int) -> dict[int, bytes]:
    """Return, by number, what the erased events of a stretch of the chain are compared with."""
    return {row.number: row.rest for row in session.execute(_RESTS, {"after": after, "last": last})}


def without(data: dict[str, Any], members: Collection[str] | None) -> dict[str, Any]:
    """Return the data of an event without these members, or without any where it is None."""
    return {} if members is None else {name: value for name, value in data.items() if name not in members}
