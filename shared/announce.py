"""Tells the workers to look again: the only place that publishes.

A message names a lane or a delivery that has work, nothing else. It may be lost without consequence, so announcing
waits for no broker, never raises and never piles up: hints are coalesced, one thread publishes, a task queue holds few.
"""

import threading
import time
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from kombu.messaging import Producer
from redis.exceptions import RedisError
from uuid_utils.compat import uuid4

from shared.metrics import FAILURES
from shared.settings import Settings
from shared.task_queues import TRIAGE_TASK, Hint, triage_hint

log = structlog.get_logger(__name__)

RED_FLAGS = triage_hint("priority")
HEAD_START_SECONDS = 0.005  # at most
REST_SECONDS = 0.01  # after each publication; what comes meanwhile is coalesced, but red flags only with each other
FAILURE_REST_SECONDS = 1
MOST_KEPT = 1000  # hints that wait for the thread; whatever is beyond that, the watchman announces
MOST_DELIVERIES = 100  # messages that wait in one task queue

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
    producer.conf.update(broker_transport_options=BOUNDED, broker_pool_limit=1)
    return producer


class Announcer:
    """Publishes from a thread of its own, which starts with the first announcement: after any fork."""

    def __init__(self, producer: Celery) -> None:
        self._producer = producer
        self._changed = threading.Condition()
        self._due: set[Hint] = set()
        self._leaving: set[Hint] = set()
        self._red_flag_due = threading.Event()  # so that whoever rests is not woken by every hint
        self._thread: threading.Thread | None = None

    def announce(self, hint: Hint) -> None:
        """Have a worker look soon at what `hint` names. Returns at once or soon, whatever the broker does.

        The thread gets a head start with red flags: it needs the interpreter, which whoever goes on would keep from it.
        """
        with self._changed:
            if len(self._due) < MOST_KEPT:
                self._due.add(hint)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._publish_for_ever, name="announcer", daemon=True)
                self._thread.start()
            if hint == RED_FLAGS:
                self._red_flag_due.set()
                self._changed.wait_for(lambda: hint not in self._due | self._leaving, HEAD_START_SECONDS)

    def _publish_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due)
                self._leaving, self._due = self._due, set()
                self._red_flag_due.clear()
            hints = sorted(self._leaving, key=lambda hint: (hint != RED_FLAGS, hint.queue))
            rest, seconds = time.sleep if RED_FLAGS in hints else self._red_flag_due.wait, REST_SECONDS
            try:
                for queue, of_queue in groupby(hints, key=attrgetter("queue")):
                    self._publish(queue, of_queue)
            except (KombuError, RedisError, OSError) as error:
                queues = sorted({hint.queue for hint in hints})
                log.warning("announce.failed", queues=queues, error=type(error).__name__)
                FAILURES.labels("announce").inc()
                rest, seconds = time.sleep, FAILURE_REST_SECONDS
            with self._changed:
                self._leaving = set()
                self._changed.notify_all()
            rest(seconds)

    def _publish(self, queue: str, hints: Iterable[Hint]) -> None:
        with self._producer.producer_or_acquire() as producer:
            waiting = producer.channel.client.llen(queue)
            for hint in hints:
                # Triage looks at its whole lane: a message that still waits finds everything that is committed by now.
                if waiting < (1 if hint.task == TRIAGE_TASK else MOST_DELIVERIES):
                    self._send(producer, hint)
                    waiting += 1

    def _send(self, producer: Producer, hint: Hint) -> None:
        """Publish what Celery's `send_task` would, without what it does for whoever wants to hear of it."""
        message = self._producer.amqp.create_task_message(str(uuid4()), hint.task, (hint.argument,), ignore_result=True)
        headers, properties, body, _ = message
        producer.publish(body, routing_key=hint.queue, headers=headers, **properties)  # type: ignore[no-untyped-call]
