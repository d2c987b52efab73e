"""Tells the workers to look again: the only place that publishes.

A message says that a lane has work, nothing else. It may be lost without consequence, so announcing never waits, never
raises and never piles up: lanes are coalesced, one thread publishes, and nothing is sent while a message still waits.
"""

import threading
import time

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from shared.settings import Settings
from shared.task_queues import TRIAGE_TASK, Lane, triage_queue

log = structlog.get_logger()

REST_SECONDS = 0.01  # after each publication; what comes meanwhile is coalesced
FAILURE_REST_SECONDS = 1

# A broker that is away costs the thread about a second, whichever way it is away.
BOUNDED = {
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "connect_retries_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}


def create_producer(settings: Settings) -> Celery:
    """Return a Celery application that can publish and nothing else; it connects when it first does."""
    producer = Celery("psoas", broker=settings.broker_url, set_as_current=False)
    producer.conf.update(
        task_serializer="json",
        task_ignore_result=True,
        task_publish_retry=False,
        task_create_missing_queues=True,  # the workers declare what they consume; here a name is enough
        broker_transport_options=BOUNDED,
        broker_pool_limit=1,
    )
    return producer


class Announcer:
    """Publishes from a thread of its own, which starts with the first announcement: after any fork."""

    def __init__(self, producer: Celery) -> None:
        self._producer = producer
        self._changed = threading.Condition()
        self._due: set[Lane] = set()
        self._thread: threading.Thread | None = None

    def announce(self, lane: Lane) -> None:
        """Have the workers look at `lane` soon. Returns at once, whatever the broker does."""
        with self._changed:
            self._due.add(lane)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._publish_for_ever, name="announcer", daemon=True)
                self._thread.start()

    def _publish_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due)
                lanes, self._due = sorted(self._due), set()
            try:
                self._publish(lanes)
                time.sleep(REST_SECONDS)
            except (KombuError, RedisError, OSError) as error:
                log.warning("announce.failed", lanes=lanes, error=type(error).__name__)
                time.sleep(FAILURE_REST_SECONDS)

    def _publish(self, lanes: list[Lane]) -> None:
        with self._producer.producer_or_acquire() as producer:
            for queue, lane in ((triage_queue(lane), lane) for lane in lanes):
                # A message that still waits is read after now, and so finds everything that is committed by now.
                if not producer.channel.client.llen(queue):
                    self._producer.send_task(TRIAGE_TASK, (lane,), queue=queue, producer=producer, retry=False)
