"""The Celery application of the workers that deliver: threads, because a delivery mostly waits for somebody else."""

from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import setup_logging, worker_shutting_down
from kombu.entity import Queue

from services.worker.celery_settings import CONFIGURATION
from services.worker.delivery.courier import create_courier
from services.worker.heartbeat import heartbeat
from services.worker.signs import signs_of_worker
from shared.announce import Announcer, create_producer
from shared.logs import configure_logs
from shared.settings import Settings
from shared.task_queues import DELIVER_TASK, DELIVERY_QUEUES

POOL_SIZE = 4  # connections for all threads: one holds a connection for milliseconds, and none while it sends

DELIVERY: dict[str, Any] = {
    # The row says what is due, so a message is taken for good. Acknowledged ones are worth nothing more here, and each
    # acknowledgement that the broker loses would take a thread out of use until the next start.
    "task_queues": [Queue(queue, no_ack=True) for queue in DELIVERY_QUEUES],  # type: ignore[no-untyped-call]
    "task_acks_late": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,  # a thread cannot be cancelled; its lease can run out
    # Time limits do not exist for threads: an attempt has its own deadline.
}


def create_delivery_worker(settings: Settings) -> Celery:
    """Return the Celery application that delivers; nothing connects before a task runs."""
    courier = create_courier(settings, Announcer(create_producer(settings)).announce, pool_size=POOL_SIZE)
    app = Celery("psoas", broker=settings.broker_url)
    app.conf.update(CONFIGURATION | DELIVERY)

    setup_logging.connect(lambda **_: configure_logs(settings), weak=False)
    # Each thread then ends with the attempt that it is at.
    worker_shutting_down.connect(lambda **_: courier.stopping.set(), weak=False)

    @app.task(name=DELIVER_TASK, shared=False, Request="services.worker.request:HintRequest")  # type: ignore[untyped-decorator]  # Celery ships no types
    def deliver(delivery_id: str) -> None:
        courier.deliver(UUID(delivery_id))

    if settings.heartbeat_file:
        app.steps["worker"].add(heartbeat(settings.heartbeat_file))
    app.steps["worker"].add(signs_of_worker(settings))
    return app
