"""Seals identities and webhook secrets (AES), and hashes identity with a key so that it can be compared.

Both are sealed with AES-256-GCM. The row it belongs to is authenticated with it, so a sealed value
copied to another row does not open. The key id stands in front, so keys can be rotated while old rows still open.
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


class UnreadableIdentityError(Exception):
    """A sealed value does not open: unknown key, other row, or truncated, altered or empty bytes."""


class IdentityCipher:
    """Seals and opens identity and secrets; `keys` by key id, the first one seals."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._writer = next(iter(keys))

    def seal(self, plain: bytes, *, row: str) -> bytes:
        """Return `plain` encrypted for the row called `row`."""
        name = self._writer.encode()
        nonce = os.urandom(NONCE_BYTES)
        return bytes([len(name)]) + name + nonce + self._ciphers[self._writer].encrypt(nonce, plain, row.encode())

    def open(self, sealed: bytes, *, row: str) -> bytes:
        """Return what was sealed for `row`; raise UnreadableIdentityError if it does not open."""
        name = key_id_of(sealed)
        if name is None:
            raise UnreadableIdentityError("not a sealed value")
        begin = 1 + len(name)
        nonce, body = sealed[begin : begin + NONCE_BYTES], sealed[begin + NONCE_BYTES :]
        try:
            return self._ciphers[name].decrypt(nonce, body, row.encode())
        except (KeyError, InvalidTag):
            raise UnreadableIdentityError(f"key {name!r}") from None

    def opens_under_other_id(self, sealed: bytes, *, row: str) -> bool:
        """Say whether one of the keys opens a value that does not name it: then its key id is damaged, not missing."""
        begin = 1 + (sealed[0] if sealed else 0)
        nonce, body = sealed[begin : begin + NONCE_BYTES], sealed[begin + NONCE_BYTES :]
        for cipher in self._ciphers.values():
            try:
                cipher.decrypt(nonce, body, row.encode())
            except (InvalidTag, ValueError):
                continue
            return True
        return False


def key_id_of(sealed: bytes) -> str | None:
    """Return the id of the key that sealed a value; None where the value is too damaged to name one."""
    length = sealed[0] if sealed else 0
    name = sealed[1 : 1 + length]
    if not 1 <= length <= MAX_KEY_ID_BYTES or len(sealed) < 1 + length + NONCE_BYTES + TAG_BYTES:
        return None
    return name.decode() if all(0x20 < byte < 0x7F for byte in name) else None


def open_identity(cipher: IdentityCipher, sealed: bytes, intake_id: object) -> dict[str, Any]:
    """Return the identity that is sealed for an intake; raise UnreadableIdentityError if there is none to read."""
    identity = orjson.loads(cipher.open(sealed, row=str(intake_id)))
    if not isinstance(identity, dict) or not {"mrn", "birth_date"} <= identity.keys():
        raise UnreadableIdentityError("not an identity")
    return identity


def keyed_hash(key: bytes, content: bytes) -> bytes:
    """Return the HMAC-SHA-256 of `content`: equal contents compare equal; without the key none can be guessed."""
    # This hands the interpreter on, and `hmac.new` does not: beside a batch, that is where a red flag gets its turn.
    return hmac.digest(key, content, "sha256")


def birth_date_hash(key: bytes, facility: str, birth_date: str) -> bytes:
    """Return by what two birth dates of patients of `facility` are compared while both are sealed."""
    return keyed_hash(key, orjson.dumps(["birth_date", facility, birth_date]))
