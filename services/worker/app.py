"""The Celery application of the workers: every setting beside its reason.

Messages are hints. Nothing here has to keep one: a task asks the database what there is to do.
"""

import time
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_process_init
from kombu.entity import Queue

from services.worker.alone import COMMAND
from services.worker.child import Child
from services.worker.triage import BATCHES, Triager
from shared.announce import Announcer, create_producer
from shared.clinical.triage import triage
from shared.database import create_engine, create_sessions
from shared.logs import configure_logs
from shared.protocols import active
from shared.settings import Settings
from shared.task_queues import LANES, TRIAGE_TASK, Lane, triage_queue

DRAIN_SECONDS = 2  # then the task gives its process back and leaves a message for the rest
HEARTBEAT_SECONDS = 5

CONFIGURATION: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],  # a message can never become code
    "task_ignore_result": True,  # the row is the result
    "task_acks_late": True,  # a killed worker gives the message back
    "task_reject_on_worker_lost": False,  # a task that kills its process is not run again and again
    "task_acks_on_failure_or_timeout": True,
    "worker_prefetch_multiplier": 1,  # no message waits in a busy worker
    "worker_cancel_long_running_tasks_on_connection_loss": True,  # else it would run twice at once
    "worker_enable_prefetch_count_reduction": False,  # it holds one message anyway, before and after an outage
    "worker_enable_remote_control": False,  # nobody steers a worker through the broker
    "worker_send_task_events": False,
    "worker_max_tasks_per_child": 10_000,  # whatever leaks, leaks for a while only
    "task_soft_time_limit": 5,
    "task_time_limit": 10,
    "task_create_missing_queues": False,  # a misspelt queue is an error, not a queue that nobody reads
    "task_queues": [Queue(triage_queue(lane)) for lane in LANES],  # type: ignore[no-untyped-call]
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # the broker comes back; the worker waits
    "broker_channel_error_retry": True,  # a full broker is an outage, not a reason to exit
    "broker_transport_options": {
        "visibility_timeout": 120,  # seconds, beyond every time limit
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "health_check_interval": 10,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
    },
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}


def create_worker(settings: Settings) -> Celery:
    """Return the Celery application that triages; nothing connects before a task runs."""
    engine = create_engine(settings, pool_size=2)
    announce = Announcer(create_producer(settings)).announce
    triager = Triager(create_sessions(engine), active(), settings.holidays, Child(COMMAND), triage, announce)
    app = Celery("psoas", broker=settings.broker_url)
    app.conf.update(CONFIGURATION, worker_soft_shutdown_timeout=settings.stop_seconds)

    setup_logging.connect(lambda **_: configure_logs(settings), weak=False)
    # A connection shared across a fork answers with other patients' rows.
    worker_process_init.connect(lambda **_: engine.dispose(close=False), weak=False)

    @app.task(name=TRIAGE_TASK, shared=False, Request="services.worker.request:FrankRequest")  # type: ignore[untyped-decorator]  # Celery ships no types
    def triage_waiting(lane: Lane) -> None:
        if drain(triager, lane):
            triage_waiting.apply_async((lane,), queue=triage_queue(lane))

    if settings.heartbeat_file:
        app.steps["worker"].add(heartbeat(settings.heartbeat_file))
    return app


def drain(triager: Triager, lane: Lane) -> bool:
    """Triage `lane` until it is empty or the time is up; say whether something may be left."""
    end = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end:
        if triager.triage_waiting(lane) < BATCHES[lane].limit:
            return False
    return True


def heartbeat(file: Path) -> type[bootsteps.StartStopStep]:
    """Return the step that touches `file` from the worker's own event loop: it stops when the worker does."""

    class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
        """Touches a file for as long as the worker's timer runs."""

        requires = ("celery.worker.components:Timer",)

        def start(self, parent: Any) -> None:
            file.touch()
            parent.timer.call_repeatedly(HEARTBEAT_SECONDS, file.touch)

    return Heartbeat
