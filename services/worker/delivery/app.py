"""The Celery application of the delivery workers: threads, because a delivery mostly waits for the network."""

from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import setup_logging, worker_shutting_down

from services.worker.broker_lost import name_the_broker
from services.worker.celery_settings import CONFIGURATION, WAKE_UP_REQUEST, task_queue
from services.worker.delivery.dispatcher import create_dispatcher
from services.worker.heartbeat_file import heartbeat
from services.worker.heartbeats import heartbeats_of_worker
from shared.platform.logs import configure_logs
from shared.platform.settings import Settings
from shared.platform.task_queues import DELIVER_TASK, DELIVERY_QUEUES
from shared.platform.tracing.traces import configure_traces
from shared.platform.wake_ups.publisher import create_announcer

POOL_SIZE = 4  # connections for all threads: one holds a connection for milliseconds, and none while it sends

DELIVERY: dict[str, Any] = {
    "task_queues": [task_queue(queue) for queue in DELIVERY_QUEUES],
    # Time limits do not exist for threads: an attempt has its own deadline.
}


def create_delivery_worker(settings: Settings) -> Celery:
    """Return the Celery application that delivers; nothing connects before a task runs."""
    dispatcher = create_dispatcher(settings, create_announcer(settings).announce, pool_size=POOL_SIZE)
    app = Celery("psoas", broker=settings.broker_url)
    app.conf.update(CONFIGURATION | DELIVERY)

    configure_traces(settings, "worker-delivery")
    name_the_broker(settings)
    setup_logging.connect(lambda **_: configure_logs(settings), weak=False)
    # Each thread then ends with the attempt that it is at.
    worker_shutting_down.connect(lambda **_: dispatcher.stopping.set(), weak=False)

    @app.task(name=DELIVER_TASK, shared=False, Request=WAKE_UP_REQUEST)  # type: ignore[untyped-decorator]  # Celery ships no types
    def deliver(delivery_id: str) -> None:
        dispatcher.deliver(UUID(delivery_id))

    if settings.heartbeat_file:
        app.steps["worker"].add(heartbeat(settings.heartbeat_file))
    app.steps["worker"].add(heartbeats_of_worker(settings))
    return app
