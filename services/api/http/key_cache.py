"""Caches API keys: asks the database at most once a second for each key."""

import time

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.api.http.retries import with_retries
from shared.store.access.keys import NOBODY, USED_EVERY, Key, find_live, record_use, split

log = structlog.get_logger(__name__)

FRESH_SECONDS = 1.0  # how long a revoked key may still open
MAX_KEYS = 1000


class KeyCache:
    """The live keys seen lately. Only keys that opened are kept, so guessing fills nothing."""

    def __init__(self, lookups: Engine) -> None:
        self._lookups = lookups
        self._seen: dict[str, tuple[float, Key]] = {}
        self._used: dict[str, float] = {}

    def find(self, presented: str) -> Key | None:
        """Return the live key that `presented` is, or None."""
        key_id, secret = split(presented) or ("", "")
        key = self._fresh(key_id) or self._stored(key_id)
        if not (key or NOBODY).opens(secret):
            return None
        self._record_use(key_id)
        return key

    def live(self, key_id: str) -> Key | None:
        """Return the live key called `key_id`, for a caller who showed its secret when a session began."""
        key = self._fresh(key_id) or self._stored(key_id)
        if key is not None:
            self._record_use(key_id)
        return key

    def _record_use(self, key_id: str) -> None:
        now = time.monotonic()
        if now - self._used.get(key_id, -USED_EVERY.total_seconds()) < USED_EVERY.total_seconds():
            return
        if len(self._used) >= MAX_KEYS:
            self._used.clear()
        self._used[key_id] = now
        try:
            with self._lookups.connect() as connection:
                record_use(connection, key_id)
        except SQLAlchemyError as error:  # a full disk or a read-only standby refuses no reader
            log.warning("keys.use_unrecorded", error=type(error).__name__)

    def _fresh(self, key_id: str) -> Key | None:
        read_at, key = self._seen.get(key_id, (0.0, None))
        return key if time.monotonic() - read_at < FRESH_SECONDS else None

    def _stored(self, key_id: str) -> Key | None:
        if not key_id.isalnum() or not key_id.isascii():
            return None
        read_at = time.monotonic()
        key = with_retries(lambda: self._read(key_id))  # a server that has just restarted refuses no valid key
        self._seen.pop(key_id, None)
        if key is not None:
            if len(self._seen) >= MAX_KEYS:
                self._seen.clear()
            self._seen[key_id] = (read_at, key)
        return key

    def _read(self, key_id: str) -> Key | None:
        with self._lookups.connect() as connection:
            return find_live(connection, key_id)
