"""Tells the workers to look again: the only place that publishes.

A message names a lane or a delivery that has work, nothing else. It may be lost without consequence, so announcing
waits for no broker, never raises and never piles up: wake-ups are coalesced, one thread publishes, a task queue holds
few.
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

from shared.platform.metrics import FAILURES
from shared.platform.settings import Settings
from shared.platform.task_queues import TRIAGE_TASK, WakeUp, triage_wake_up

log = structlog.get_logger(__name__)

PRIORITY_WAKE_UP = triage_wake_up("priority")
HEAD_START_SECONDS = 0.005  # at most
REST_SECONDS = 0.01  # after each publication; what comes meanwhile is coalesced, but red flags only with each other
FAILURE_REST_SECONDS = 1
MAX_BUFFERED = 1000  # wake-ups that wait for the thread; whatever is beyond that, the watchman announces
MAX_DELIVERIES = 100  # messages that wait in one task queue

# A broker that is unavailable costs the thread about a second, whichever way it is unavailable.
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
        self._due: set[WakeUp] = set()
        self._leaving: set[WakeUp] = set()
        self._red_flag_due = threading.Event()  # so that whoever rests is not woken by every hint
        self._thread: threading.Thread | None = None

    def announce(self, wake_up: WakeUp) -> None:
        """Have a worker look soon at what `wake_up` names. Returns at once or soon, whatever the broker does.

        The thread gets a head start with red flags: it needs the interpreter, which whoever goes on would keep from it.
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
            except (KombuError, RedisError, OSError) as error:
                queues = sorted({wake_up.queue for wake_up in wake_ups})
                log.warning("wake_up.publish_failed", queues=queues, error=type(error).__name__)
                FAILURES.labels("announce").inc()
                rest, seconds = time.sleep, FAILURE_REST_SECONDS
            with self._changed:
                self._leaving = set()
                self._changed.notify_all()
            rest(seconds)

    def _publish(self, queue: str, wake_ups: Iterable[WakeUp]) -> None:
        with self._producer.producer_or_acquire() as producer:
            waiting = producer.channel.client.llen(queue)
            for wake_up in wake_ups:
                # Triage looks at its whole lane: a message that still waits finds everything that is committed by now.
                if waiting < (1 if wake_up.task == TRIAGE_TASK else MAX_DELIVERIES):
                    self._send(producer, wake_up)
                    waiting += 1

    def _send(self, producer: Producer, wake_up: WakeUp) -> None:
        """Publish what Celery's `send_task` would, without what it does for whoever wants to hear of it."""
        message = self._producer.amqp.create_task_message(
            str(uuid4()), wake_up.task, (wake_up.argument,), ignore_result=True
        )
        headers, properties, body, _ = message
        producer.publish(body, routing_key=wake_up.queue, headers=headers, **properties)  # type: ignore[no-untyped-call]
