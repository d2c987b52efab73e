"""Reads and writes keys as text: base64, or `wrapped:` and base64; several as `<key id>:<key>[,…]`."""

import base64
import binascii

from shared.platform.data_keys.wrapping import KeyWrapper, UnwrapError

KEY_BYTES = 32
MAX_KEY_ID = 32
WRAPPED = "wrapped:"


class KeyTextError(ValueError):
    """A text is no key, or one that does not unwrap; the message holds nothing of it."""


class KeyReader:
    """Reads keys; `wrapper` unwraps those that are wrapped, where there is one."""

    def __init__(self, wrapper: KeyWrapper | None = None) -> None:
        self._wrapper = wrapper

    def key(self, text: str) -> bytes:
        """Return the key in `text`; raise KeyTextError."""
        wrapped = text.startswith(WRAPPED)
        key = self._unwrapped(_decoded(text.removeprefix(WRAPPED))) if wrapped else _decoded(text)
        if len(key) != KEY_BYTES:
            raise KeyTextError(f"Not {KEY_BYTES} bytes in base64.")
        return key

    def keys(self, text: str) -> dict[str, bytes]:
        """Return the keys in `text` by their ids, in their order; raise KeyTextError."""
        return {name: self.key(encoded) for name, encoded in named(text)}

    def _unwrapped(self, wrapped: bytes) -> bytes:
        if self._wrapper is None:
            raise KeyTextError("It is wrapped: set KEY_ENCRYPTION_KEY_FILE to the file of the key that wrapped it.")
        try:
            return self._wrapper.unwrap(wrapped)
        except UnwrapError:
            raise KeyTextError(
                "KEY_ENCRYPTION_KEY does not unwrap it: another key wrapped it, or it is damaged."
            ) from None


def named(text: str) -> list[tuple[str, str]]:
    """Return the ids and texts of several keys; raise KeyTextError."""
    pairs = [pair.strip().partition(":") for pair in text.split(",")]
    if not all(name and len(name) <= MAX_KEY_ID for name, _, _ in pairs):
        raise KeyTextError("Not a list of <key id>:<base64>.")
    return [(name, encoded) for name, _, encoded in pairs]


def wrapped_text(text: str, wrapper: KeyWrapper, before: KeyWrapper | None = None) -> str:
    """Return a key, or several with their ids, wrapped; those that `before` or `wrapper` itself wrapped, anew."""
    reader = KeyReader(before or wrapper)
    if ":" not in text.removeprefix(WRAPPED):
        return _wrapped(reader.key(text), wrapper)
    return ",".join(f"{name}:{_wrapped(key, wrapper)}" for name, key in reader.keys(text).items())


def _wrapped(key: bytes, wrapper: KeyWrapper) -> str:
    return WRAPPED + base64.b64encode(wrapper.wrap(key)).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
