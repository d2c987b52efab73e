"""Publishes wake-ups as Celery messages: the only module outside the workers that speaks to the broker."""

from collections.abc import Iterable

from celery import Celery
from kombu.exceptions import KombuError
from kombu.messaging import Producer
from redis.exceptions import RedisError
from uuid_utils.compat import uuid4

from shared.platform.settings import Settings
from shared.platform.task_queues import TRIAGE_TASK, WakeUp
from shared.platform.wake_ups.announcer import Announcer, PublishError

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


class Publisher:
    """Publishes through a Celery application that was made by `create_producer`."""

    def __init__(self, producer: Celery) -> None:
        self._producer = producer

    def publish(self, queue: str, wake_ups: Iterable[WakeUp]) -> None:
        """Publish wake-ups for one task queue, as far as it does not have enough messages; raises PublishError."""
        try:
            self._publish(queue, wake_ups)
        except (KombuError, RedisError, OSError) as error:
            raise PublishError(type(error).__name__) from error

    def _publish(self, queue: str, wake_ups: Iterable[WakeUp]) -> None:
        with self._producer.producer_or_acquire() as producer:
            waiting = producer.channel.client.llen(queue)
            for wake_up in wake_ups:
                # Triage looks at its whole lane: a message that still waits finds everything that is committed by now.
                if waiting < (1 if wake_up.task == TRIAGE_TASK else MAX_DELIVERIES):
                    self._send(producer, wake_up)
                    waiting += 1

    def _send(self, producer: Producer, wake_up: WakeUp) -> None:
        """Publish what Celery's `send_task` would, without the signals, spans and result backend that it prepares."""
        message = self._producer.amqp.create_task_message(
            str(uuid4()), wake_up.task, (wake_up.argument,), ignore_result=True
        )
        headers, properties, body, _ = message
        producer.publish(body, routing_key=wake_up.queue, headers=headers, **properties)  # type: ignore[no-untyped-call]


def create_announcer(settings: Settings) -> Announcer:
    """Return an announcer that publishes to the broker of `settings`; nothing connects before the first wake-up."""
    return Announcer(Publisher(create_producer(settings)).publish)
