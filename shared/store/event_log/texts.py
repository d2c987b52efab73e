"""Seals the words that people write in events, apart from the events, and opens them for who may read them.

In the place of each word an event keeps an HMAC of it, which the chain of digests covers. The HMAC's key is random and
sealed together with the words: without it none can be guessed from its HMAC, in a copy of the database or once the text
is erased. Words that an earlier release wrote, or SEALING_FORMAT 1, stand in the event itself.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from uuid_utils.compat import uuid7

from shared.platform.crypto import IdentityCipher, UnreadableIdentityError, keyed_hash
from shared.platform.metrics import FAILURES

log = structlog.get_logger(__name__)

WORDS = ("note", "reason", "outcome")  # members of an event's data
SEALED = "sealed"  # the member that has the HMACs, by the member that each is of
UNREADABLE = "(These words cannot be read: the key that sealed them is missing, or they were damaged.)"
KEY_BYTES = 32


class UnsealedWordsError(Exception):
    """Words of a person were to be stored without a cipher."""


def words_of(kind: str, by: str | None, data: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person wrote freely in an event of a type.

    Not how a call ended, which is one of a few words, and not the reasons that the service itself gives.
    """
    chosen = "outcome" if kind == "referral.contacted" else "reason" if by is None else None
    return {name: data[name] for name in WORDS if name != chosen and data.get(name) is not None}


def sealed_event(cipher: IdentityCipher | None, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an event as it is stored: with `text_id` and `sealed` in place of the words, where there are any.

    Raises UnsealedWordsError where there are words and no cipher. A cipher of format 1 leaves them in the clear, since
    the release that runs beside opens no others.
    """
    data = event.get("data") or {}
    words = words_of(event["type"], event.get("by"), data)
    if not words:
        return event
    if cipher is None:
        raise UnsealedWordsError(event["type"])
    if not cipher.is_bound:
        return event
    text_id, key = uuid7(), secrets.token_bytes(KEY_BYTES)
    content = orjson.dumps({"key": key.hex(), "words": words})
    kept = {name: value for name, value in data.items() if name not in words}
    return {
        **event,
        "data": kept | {SEALED: {name: hmac_of(key, name, word) for name, word in words.items()}},
        "text_id": text_id,
        "text": f"\\x{cipher.seal(content, row=text_row(text_id)).hex()}",
    }


def opened_data(
    cipher: IdentityCipher, data: Mapping[str, Any], text_id: UUID | None, sealed: bytes | None
) -> dict[str, Any]:
    """Return the data of an event with its words; without them where they were erased.

    Words that do not open are replaced by UNREADABLE, which is logged, so that nothing else fails.
    """
    shown = {name: value for name, value in data.items() if name != SEALED}
    if text_id is None or sealed is None:
        return shown
    try:
        _, words = open_text(cipher, text_id, sealed)
    except UnreadableIdentityError:
        log.error("text.unreadable")
        FAILURES.labels("text").inc()
        words = dict.fromkeys(data.get(SEALED, ()), UNREADABLE)
    return shown | words


def open_text(cipher: IdentityCipher, text_id: UUID, sealed: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the key of the HMACs and the words; raise UnreadableIdentityError where they do not open."""
    content = cipher.open(sealed, row=text_row(text_id))
    try:
        text = orjson.loads(content)
        return bytes.fromhex(text["key"]), text["words"]
    except (KeyError, TypeError, ValueError):
        raise UnreadableIdentityError("not a text") from None


def is_of(data: Mapping[str, Any], key: bytes, words: Mapping[str, str]) -> bool:
    """Say whether these are the words of the event that has this data: each has its HMAC, and no other is there."""
    stored = data.get(SEALED)
    return (
        isinstance(stored, dict)
        and stored.keys() == words.keys()
        and all(hmac.compare_digest(str(stored[name]), hmac_of(key, name, word)) for name, word in words.items())
    )


def hmac_of(key: bytes, name: str, word: str) -> str:
    """Return the HMAC-SHA-256 of a word as a member of an event's data, in hexadecimal digits."""
    return keyed_hash(key, orjson.dumps([name, word])).hex()


def text_row(text_id: UUID) -> str:
    """Return the name of the row for which a text is sealed."""
    return f"text:{text_id}"
