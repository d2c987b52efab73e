"""Backfills the hashes of normalised record numbers, a small step at a time; a task of the watchman."""

import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from shared.platform.crypto import IdentityCipher
from shared.platform.database import Sessions
from shared.store.patients.patient_hashes import FIRST, backfill

log = structlog.get_logger(__name__)

MAX_BATCH = 500  # identities opened in one step: some ten milliseconds
STEP_SECONDS = 1.0
REST_SECONDS = 60.0  # once nothing is left, the release before may still add some
LONG_REST_SECONDS = 3600.0  # where what is left does not open


@dataclass
class RecordNumbers:
    """Where the sweep is; a watchman that starts anew sweeps from the first row that is left."""

    sessions: Sessions
    cipher: IdentityCipher = field(repr=False)
    lookup_key: bytes = field(repr=False)
    limit: int = MAX_BATCH
    _after: UUID = FIRST
    _rests_until: float = 0.0
    _unreadable: int = 0
    _reported: int = 0

    def step(self) -> None:
        """Hash the next few numbers, unless a sweep has just ended."""
        if time.monotonic() < self._rests_until:
            return
        with self.sessions.begin() as session:
            done = backfill(session, self.cipher, self.lookup_key, after=self._after, limit=self.limit)
        self._unreadable += done.unreadable
        self._after = done.last or FIRST
        if done.last is None:
            self._end_sweep()

    def _end_sweep(self) -> None:
        if self._unreadable != self._reported:
            log.error("record_numbers.unreadable", count=self._unreadable)
        self._rests_until = time.monotonic() + (LONG_REST_SECONDS if self._unreadable else REST_SECONDS)
        self._reported, self._unreadable = self._unreadable, 0
