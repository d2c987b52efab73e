"""Computes the MACs of seals. What each is of stands in it, so a MAC of one thing never passes for that of another."""

from typing import Any

import orjson

from shared.platform.crypto import keyed_hash

BEFORE_FIRST = bytes(32)


def mac(key: bytes, what: str, *content: Any) -> bytes:
    """Return the HMAC-SHA-256 of `content` as a thing of the kind `what`."""
    return keyed_hash(key, orjson.dumps([f"psoas {what}", *map(_plain, content)], option=orjson.OPT_UTC_Z))


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
