"""Seals identities, what people write and webhook secrets (AES), and hashes what has to be compared with a key.

Both are sealed with AES-256-GCM. Table, column, row and key id are authenticated with a value (format 2), so one that
is copied to another place does not open. The key id stands in front, so keys can be rotated while old rows still open.
Values of format 1, of earlier releases, are bound to the row alone, until `keys rotate-identity` seals them anew.
"""

import hmac
import os
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16
MAX_KEY_ID_BYTES = 32
BOUND = b"\x00\x02"  # in front of a value of format 2; one of format 1 begins with the length of its key id, never 0
ERASED = b"\x00erased"  # in the place of a sealed value that was erased: no key opens it
# Where the values of a row stand, by what its name begins with; every other name is the id of an intake.
_PLACES = {
    "destination:": ("destinations", "secret"),
    "correction:": ("identity_corrections", "reason"),
    "text:": ("event_texts", "sealed"),
    "external_id:": ("intakes", "external_id_sealed"),
}


class UnreadableIdentityError(Exception):
    """A sealed value does not open: unknown key, other row, or truncated, altered or empty bytes."""


class KeyNotGivenError(Exception):
    """This process was started without a key that it would need; the message names the setting."""


class IdentityCipher:
    """Seals and opens identity and secrets; `keys` by key id, the first one seals.

    What does not open with `keys` is tried with those of `fallback`, which seal nothing.
    """

    def __init__(
        self, keys: Mapping[str, bytes], *, fallback: "IdentityCipher | None" = None, bound: bool = True
    ) -> None:
        if not keys:
            raise KeyNotGivenError("IDENTITY_KEYS")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._writer = next(iter(keys))
        self._fallback = fallback
        self._bound = bound

    @property
    def is_bound(self) -> bool:
        """Whether it seals in format 2, which the release before does not read."""
        return self._bound

    @property
    def target(self) -> bytes:
        """What `sealing_key` says in SQL of a value that this cipher sealed."""
        return (BOUND[1:] if self._bound else b"") + self._writer.encode()

    def seal(self, plain: bytes, *, row: str) -> bytes:
        """Return `plain` encrypted for the row called `row`."""
        name = self._writer.encode()
        nonce = os.urandom(NONCE_BYTES)
        head = (BOUND if self._bound else b"") + bytes([len(name)]) + name
        bound_to = _associated(row, self._writer) if self._bound else row.encode()
        return head + nonce + self._ciphers[self._writer].encrypt(nonce, plain, bound_to)

    def open(self, sealed: bytes, *, row: str) -> bytes:
        """Return what was sealed for `row`; raise UnreadableIdentityError if it does not open."""
        name = key_id_of(sealed)
        if name is None:
            raise UnreadableIdentityError("not a sealed value")
        begin, bound_to = 1 + len(name), row.encode()
        if sealed.startswith(BOUND):
            begin, bound_to = begin + len(BOUND), _associated(row, name)
        nonce, body = sealed[begin : begin + NONCE_BYTES], sealed[begin + NONCE_BYTES :]
        try:
            return self._ciphers[name].decrypt(nonce, body, bound_to)
        except (KeyError, InvalidTag):
            if self._fallback is not None:
                return self._fallback.open(sealed, row=row)
            raise UnreadableIdentityError(f"key {name!r}") from None

    def has_key_of(self, sealed: bytes) -> bool:
        """Say whether the key that a value names is there: where such a value does not open, it was damaged."""
        return key_id_of(sealed) in self._ciphers

    def opens_under_other_id(self, sealed: bytes, *, row: str) -> bool:
        """Say whether one of the keys opens a value that does not name it: then its key id is damaged, not missing."""
        front = len(BOUND) if sealed.startswith(BOUND) else 0
        begin = front + 1 + (sealed[front] if len(sealed) > front else 0)
        nonce, body = sealed[begin : begin + NONCE_BYTES], sealed[begin + NONCE_BYTES :]
        for name, cipher in self._ciphers.items():
            try:
                cipher.decrypt(nonce, body, _associated(row, name) if front else row.encode())
            except (InvalidTag, ValueError):
                continue
            return True
        return False


def key_id_of(sealed: bytes) -> str | None:
    """Return the id of the key that sealed a value; None where the value is too damaged to name one."""
    sealed = sealed.removeprefix(BOUND)
    length = sealed[0] if sealed else 0
    name = sealed[1 : 1 + length]
    if not 1 <= length <= MAX_KEY_ID_BYTES or len(sealed) < 1 + length + NONCE_BYTES + TAG_BYTES:
        return None
    return name.decode() if all(0x20 < byte < 0x7F for byte in name) else None


def _associated(row: str, key_id: str) -> bytes:
    """Return what is authenticated with a value of format 2: where it stands, and the key that seals it."""
    for prefix, place in _PLACES.items():
        if row.startswith(prefix):
            return orjson.dumps(["psoas sealed 2", *place, row.removeprefix(prefix), key_id])
    return orjson.dumps(["psoas sealed 2", "intakes", "identity", row, key_id])


def open_identity(cipher: IdentityCipher, sealed: bytes, intake_id: object) -> dict[str, Any]:
    """Return the identity that is sealed for an intake; raise UnreadableIdentityError if there is none to read."""
    identity = orjson.loads(cipher.open(sealed, row=str(intake_id)))
    if not isinstance(identity, dict) or not {"mrn", "birth_date"} <= identity.keys():
        raise UnreadableIdentityError("not an identity")
    return identity


def keyed_hash(key: bytes, content: bytes) -> bytes:
    """Return the HMAC-SHA-256 of `content`: equal contents compare equal; without the key none can be guessed."""
    if not key:
        raise KeyNotGivenError("LOOKUP_KEY")
    # This hands the interpreter on, and `hmac.new` does not: beside a batch, that is where a red flag gets its turn.
    return hmac.digest(key, content, "sha256")


def birth_date_hash(key: bytes, facility: str, birth_date: str) -> bytes:
    """Return by what two birth dates of patients of `facility` are compared while both are sealed."""
    return keyed_hash(key, orjson.dumps(["birth_date", facility, birth_date]))
