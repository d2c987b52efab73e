"""Sheds load: refuses forms before what they need is used up, and those of the priority lane last.

A sender that gets 503 keeps its form and sends it again. A form that takes the last connection, or the last of the
disk, takes it from a red flag.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from services.api.admission.switch_interval import SwitchInterval
from services.api.http.problems import RETRY_AFTER_SECONDS, ProblemError
from shared.monitoring.disk_level import DiskMonitor
from shared.platform.task_queues import Lane

BATCHES = 2  # at once in a process: one is read while the other is stored; all other threads are for single forms
TIMEOUT_SECONDS = 1.0
MOMENT_SECONDS = 0.2  # long enough for a form to be stored by a database that is well again
STORAGE_RETRY_SECONDS = "30"  # an operator has to free disk space first


class Bulkhead:
    """Limits how many forms of one lane are stored at once; one that waits longer than a second is refused.

    When none has been stored for that second, the database is stalled. Until one is stored, one form at a time probes
    it, and the others wait for MOMENT_SECONDS only: otherwise they would hold every thread.
    """

    def __init__(self, most: float) -> None:
        self._changed = threading.Condition()
        self._most = most
        self._inside = 0
        self._failed = False  # the last one that left
        self._well_at = 0.0

    def enter(self) -> None:
        """Take a slot; raise ProblemError 503 where none is free."""
        with self._changed:
            if not (self._failed or self._inside):
                self._well_at = time.monotonic()  # nobody was here, so nobody has waited
            timeout = self._well_at + TIMEOUT_SECONDS - time.monotonic()
            if not self._changed.wait_for(self._has_slot, timeout=max(MOMENT_SECONDS, timeout)):
                raise _busy()
            self._inside += 1

    def leave(self, *, failed: bool) -> None:
        """Free the slot, and record whether the database failed."""
        with self._changed:
            was_stalled = self._is_stalled()
            self._inside -= 1
            self._failed = failed
            if not failed:
                self._well_at = time.monotonic()
            if was_stalled:
                self._changed.notify_all()  # there may be more places again, and not just this one
            else:
                self._changed.notify()

    def _has_slot(self) -> bool:
        return self._inside < (1 if self._is_stalled() else self._most)

    def _is_stalled(self) -> bool:
        return time.monotonic() - self._well_at > TIMEOUT_SECONDS


class AdmissionControl:
    """What a form needs: a connection, of which the routine lane has `for_routine` at most, and room on the disk."""

    def __init__(self, for_routine: int, disk: DiskMonitor) -> None:
        self._bulkheads: dict[Lane, Bulkhead] = {"priority": Bulkhead(math.inf), "routine": Bulkhead(for_routine)}
        self._batches = threading.BoundedSemaphore(BATCHES)
        self._switch_interval = SwitchInterval()
        self.reading = threading.Lock()  # of one batch at a time, which takes only its turn from single forms
        self.disk = disk

    @contextmanager
    def slot(self, lane: Lane) -> Iterator[None]:
        """Hold what a form of `lane` needs; raise ProblemError 503 if it is not to be had."""
        self._check_disk(lane)
        self._bulkheads[lane].enter()
        failed = False
        try:
            yield
        except SQLAlchemyError:
            failed = True
            raise
        finally:
            self._bulkheads[lane].leave(failed=failed)

    @contextmanager
    def batch_slot(self) -> Iterator[None]:
        """Hold a place for a whole batch, red flags and all; raise ProblemError 503 at once if there is none."""
        self._check_disk("routine")
        if not self._batches.acquire(blocking=False):
            raise _busy()
        try:
            with self._switch_interval.shorter():
                yield
        finally:
            self._batches.release()

    def _check_disk(self, lane: Lane) -> None:
        if self.disk.level == "none" or (self.disk.level == "low" and lane == "routine"):
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
