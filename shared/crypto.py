"""Keeps identity, and the secrets that sign webhooks, unreadable in the database; identity comparable all the same.

Both are sealed with AES-256-GCM. The row it belongs to is authenticated with it, so a sealed value
copied to another row does not open. The key id stands in front, so keys can be rotated while old rows still open.
"""

import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class UnreadableIdentityError(Exception):
    """A sealed value does not open: unknown key, other row, or altered bytes."""


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
        end = 1 + sealed[0]
        name, nonce, body = (
            sealed[1:end].decode(),
            sealed[end : end + NONCE_BYTES],
            sealed[end + NONCE_BYTES :],
        )
        try:
            return self._ciphers[name].decrypt(nonce, body, row.encode())
        except (KeyError, InvalidTag):
            raise UnreadableIdentityError(f"key {name!r}") from None


def keyed_hash(key: bytes, content: bytes) -> bytes:
    """Return the HMAC-SHA-256 of `content`: equal contents compare equal; without the key none can be guessed."""
    # This hands the interpreter on, and `hmac.new` does not: beside a batch, that is where a red flag gets its turn.
    return hmac.digest(key, content, "sha256")
