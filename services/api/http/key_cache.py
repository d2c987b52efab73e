"""Caches API keys: asks the database at most once a second for each key."""

import time

from sqlalchemy import Engine

from shared.store.access.keys import NOBODY, Key, find_live, split

FRESH_SECONDS = 1.0  # how long a revoked key may still open
MAX_KEYS = 1000


class KeyCache:
    """The live keys seen lately. Only keys that opened are kept, so guessing fills nothing."""

    def __init__(self, lookups: Engine) -> None:
        self._lookups = lookups
        self._seen: dict[str, tuple[float, Key]] = {}

    def find(self, presented: str) -> Key | None:
        """Return the live key that `presented` is, or None."""
        key_id, secret = split(presented) or ("", "")
        key = self._fresh(key_id) or self._stored(key_id)
        return key if (key or NOBODY).opens(secret) else None

    def live(self, key_id: str) -> Key | None:
        """Return the live key called `key_id`, for a caller who showed its secret when a session began."""
        return self._fresh(key_id) or self._stored(key_id)

    def _fresh(self, key_id: str) -> Key | None:
        read_at, key = self._seen.get(key_id, (0.0, None))
        return key if time.monotonic() - read_at < FRESH_SECONDS else None

    def _stored(self, key_id: str) -> Key | None:
        if not key_id.isalnum() or not key_id.isascii():
            return None
        read_at = time.monotonic()
        with self._lookups.connect() as connection:
            key = find_live(connection, key_id)
        self._seen.pop(key_id, None)
        if key is not None:
            if len(self._seen) >= MAX_KEYS:
                self._seen.clear()
            self._seen[key_id] = (read_at, key)
        return key
