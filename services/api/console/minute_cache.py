"""Keeps what was counted for a minute, so that many viewers cost the database as much as one."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

FRESH_SECONDS = 60.0
MAX_KEPT = 64

Counted = TypeVar("Counted")


class MinuteCache(Generic[Counted]):
    """Values by key, each counted again when it is older than a minute."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Counted]] = {}

    def get(self, key: Hashable, count: Callable[[], Counted]) -> Counted:
        """Return what was counted for `key` in the last minute, or count."""
        with self._lock:
            counted_at, found = self._kept.get(key, (0.0, None))
        if found is not None and time.monotonic() - counted_at < FRESH_SECONDS:
            return found
        counted = count()
        with self._lock:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = (time.monotonic(), counted)
        return counted
