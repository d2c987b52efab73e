"""Counts failed authentication by address and minute in memory, and stores the counts off the path of any request."""

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from shared.platform.database import Sessions
from shared.store.access.failed_authentications import add_failures

MAX_PLACES = 10_000  # addresses and minutes that are kept between two times of storing
OTHERS = "others"  # beyond that, all further addresses together
STORE_SECONDS = 2.0


class FailureCounter:
    """What was counted and is not stored yet."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._counts = Counter[tuple[datetime, str]]()

    def count(self, address: str, now: datetime) -> None:
        """Count one failure."""
        minute = now.replace(second=0, microsecond=0)
        with self._lock:
            known = (minute, address) in self._counts or len(self._counts) < MAX_PLACES
            self._counts[minute, address if known else OTHERS] += 1

    def waiting(self, minute: datetime, names: Iterable[str]) -> dict[str, int]:
        """Return what was counted in this process for that minute, by name, and is not stored yet."""
        with self._lock:
            return {name: self._counts[minute, name] for name in names}

    def store(self) -> None:
        """Add what was counted to what is stored. Where that fails, it is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with self._sessions.begin() as session:
                add_failures(session, counts)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
