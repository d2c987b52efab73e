"""Wraps and unwraps data keys with a key-encryption key, so that what wraps them can be kept, and turned, elsewhere."""

from typing import Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding, aes_key_wrap_with_padding


class UnwrapError(Exception):
    """A wrapped key does not open: another key-encryption key wrapped it, or it is damaged."""


class KeyWrapper(Protocol):
    """What holds a key-encryption key: a file here; a key management service or an HSM has a class of its own."""

    def wrap(self, key: bytes) -> bytes:
        """Return `key` encrypted."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped; raise UnwrapError if it does not open."""


class AesKeyWrapper:
    """Wraps with a key-encryption key of this process, by AES key wrap with padding (RFC 5649)."""

    def __init__(self, key_encryption_key: bytes) -> None:
        self._key = key_encryption_key

    def wrap(self, key: bytes) -> bytes:
        return aes_key_wrap_with_padding(self._key, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap_with_padding(self._key, wrapped)
        except InvalidUnwrap:
            raise UnwrapError from None
