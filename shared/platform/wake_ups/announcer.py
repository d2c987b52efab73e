"""Wakes workers up: coalesces wake-ups and publishes them from one thread.

A message names a lane or a delivery that has work, nothing else. It may be lost without consequence, because rows say
what is to do. So announcing never waits for the broker, never raises, and buffers a bounded number of wake-ups.
"""

import threading
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter

import structlog

from shared.platform.metrics import FAILURES
from shared.platform.task_queues import WakeUp, triage_wake_up

log = structlog.get_logger(__name__)

PRIORITY_WAKE_UP = triage_wake_up("priority")
HEAD_START_SECONDS = 0.005  # at most
REST_SECONDS = 0.01  # after each publication; what comes meanwhile is coalesced, but red flags only with each other
FAILURE_REST_SECONDS = 1
MAX_BUFFERED = 1000  # wake-ups that wait for the thread; whatever is beyond that, the watchman announces


class PublishError(Exception):
    """The broker is unavailable; some of the wake-ups were not published."""


class Announcer:
    """Publishes from a thread of its own, which starts with the first announcement: after any fork."""

    def __init__(self, publish: Callable[[str, Iterable[WakeUp]], None]) -> None:
        self._publish = publish
        self._changed = threading.Condition()
        self._due: set[WakeUp] = set()
        self._leaving: set[WakeUp] = set()
        self._red_flag_due = threading.Event()  # ends a rest early; other wake-ups do not
        self._thread: threading.Thread | None = None

    def announce(self, wake_up: WakeUp) -> None:
        """Have a worker look soon at what `wake_up` names. Returns at once, or for red flags within HEAD_START_SECONDS.

        The head start stays because without it the thread waits for the interpreter until the calling thread has
        answered its request: red flags then take an eighth longer to the worklist (docs/performance.md).
        """
        with self._changed:
            if len(self._due) < MAX_BUFFERED:
                self._due.add(wake_up)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._publish_for_ever, name="announcer", daemon=True)
                self._thread.start()
            if wake_up == PRIORITY_WAKE_UP:
                self._red_flag_due.set()
                self._changed.wait_for(lambda: wake_up not in self._due | self._leaving, HEAD_START_SECONDS)

    def _publish_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due)
                self._leaving, self._due = self._due, set()
                self._red_flag_due.clear()
            wake_ups = sorted(self._leaving, key=lambda wake_up: (wake_up != PRIORITY_WAKE_UP, wake_up.queue))
            rest, seconds = time.sleep if PRIORITY_WAKE_UP in wake_ups else self._red_flag_due.wait, REST_SECONDS
            try:
                for queue, of_queue in groupby(wake_ups, key=attrgetter("queue")):
                    self._publish(queue, of_queue)
            except PublishError as error:
                queues = sorted({wake_up.queue for wake_up in wake_ups})
                log.warning("wake_up.publish_failed", queues=queues, error=str(error))
                FAILURES.labels("announce").inc()
                rest, seconds = time.sleep, FAILURE_REST_SECONDS
            with self._changed:
                self._leaving = set()
                self._changed.notify_all()
            rest(seconds)
