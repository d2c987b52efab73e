"""Refuses forms before what they need is used up, and those of the priority lane last.

A sender that gets 503 keeps its form and sends it again. A form that takes the last connection, or the last of the
disk, takes it from a red flag.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.api.problems import RETRY_AFTER_SECONDS, ProblemError
from shared.storage import Storage
from shared.task_queues import Lane

BATCHES = 2  # at once in a process: one is read while the other is stored; all other threads are for single forms
PATIENCE_SECONDS = 1.0
STORAGE_RETRY_SECONDS = "30"  # somebody has to make room first


class Room:
    """Holds at most so many routine forms at once; whoever waits a second in vain is sent away.

    If nobody has come or gone for that second, the database stands still, and the next one does not wait either: else
    those who wait would take every thread.
    """

    def __init__(self, most: int) -> None:
        self._changed = threading.Condition()
        self._free = most
        self._moved = time.monotonic()

    def enter(self) -> None:
        """Take a place; raise ProblemError 503 if there is none."""
        with self._changed:
            patience = PATIENCE_SECONDS - (time.monotonic() - self._moved)
            if not self._changed.wait_for(lambda: self._free, timeout=max(0.0, patience)):
                raise _busy()
            self._free -= 1
            self._moved = time.monotonic()

    def leave(self) -> None:
        """Give the place back."""
        with self._changed:
            self._free += 1
            self._moved = time.monotonic()
            self._changed.notify()


class Capacity:
    """What a form needs: a connection, of which the routine lane has `for_routine` at most, and room on the disk."""

    def __init__(self, for_routine: int, storage: Storage) -> None:
        self._routine = Room(for_routine)
        self._batches = threading.BoundedSemaphore(BATCHES)
        self.reading = threading.Lock()  # of one batch at a time, so that it takes no more than its turn from single forms
        self.storage = storage

    @contextmanager
    def taken(self, lane: Lane) -> Iterator[None]:
        """Hold what a form of `lane` needs; raise ProblemError 503 if it is not to be had."""
        self._find_room(lane)
        if lane == "priority":
            yield
            return
        self._routine.enter()
        try:
            yield
        finally:
            self._routine.leave()

    @contextmanager
    def taken_by_batch(self) -> Iterator[None]:
        """Hold a place for a whole batch, red flags and all; raise ProblemError 503 at once if there is none."""
        self._find_room("routine")
        if not self._batches.acquire(blocking=False):
            raise _busy()
        try:
            yield
        finally:
            self._batches.release()

    def _find_room(self, lane: Lane) -> None:
        if self.storage.room == "none" or (self.storage.room == "low" and lane == "routine"):
            raise ProblemError(
                503,
                "There is too little room to store forms. Please send the same again, under the same Idempotency-Key.",
                kind="storage-low",
                headers={"Retry-After": STORAGE_RETRY_SECONDS},
            )


def _busy() -> ProblemError:
    return ProblemError(
        503,
        "Too much comes in at once. Please send the same again, under the same Idempotency-Key.",
        kind="busy",
        headers={"Retry-After": RETRY_AFTER_SECONDS},
    )
