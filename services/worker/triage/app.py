"""The Celery application of the workers that triage."""

import time
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_ready
from kombu.exceptions import OperationalError

from services.worker.broker_lost import name_the_broker
from services.worker.celery_settings import CONFIGURATION, WAKE_UP_REQUEST, task_queue
from services.worker.heartbeat_file import heartbeat
from services.worker.heartbeats import heartbeats_of_worker
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import BATCHES, Triager
from shared.clinical.triage import triage
from shared.platform.database import LIMITS, create_engine, create_sessions
from shared.platform.logs import configure_logs
from shared.platform.metrics import write_metrics_to
from shared.platform.settings import Settings
from shared.platform.task_queues import LANES, TRIAGE_TASK, Lane, triage_queue
from shared.platform.tracing.traces import configure_traces
from shared.platform.wake_ups.publisher import create_announcer
from shared.protocols import active

# The server ends a frozen process's transaction in time for the watchman: between two statements it only decides forms.
HOLDING = {"idle_in_transaction_session_timeout": "1s"}
DRAIN_SECONDS = 2  # then the task gives its process back and leaves a message for the rest

TRIAGE: dict[str, Any] = {
    "worker_disable_prefetch": True,  # no message waits in a busy worker: while one waits, none is added
    "worker_max_tasks_per_child": 10_000,  # whatever leaks, leaks for a while only
    "task_soft_time_limit": 5,
    "task_time_limit": 10,
    "task_queues": [task_queue(triage_queue(lane)) for lane in LANES],
}


def create_worker(settings: Settings) -> Celery:
    """Return the Celery application that triages; nothing connects before a task runs."""
    engine = create_engine(settings, pool_size=2, limits=LIMITS | HOLDING)
    announce = create_announcer(settings).announce
    triager = Triager(create_sessions(engine), active(), settings.holidays, Sandbox(COMMAND), triage, announce)
    app = Celery("psoas", broker=settings.broker_url)
    app.conf.update(CONFIGURATION | TRIAGE, worker_soft_shutdown_timeout=settings.stop_seconds)

    name_the_broker(settings)
    setup_logging.connect(lambda **_: configure_logs(settings), weak=False)
    # A connection shared across a fork answers with other patients' rows.
    worker_process_init.connect(lambda **_: engine.dispose(close=False), weak=False)
    worker_process_init.connect(lambda **_: write_metrics_to(settings.metrics_dir), weak=False)
    worker_process_init.connect(lambda **_: configure_traces(settings, "worker-triage"), weak=False)

    @app.task(name=TRIAGE_TASK, shared=False, Request=WAKE_UP_REQUEST)  # type: ignore[untyped-decorator]  # Celery ships no types
    def triage_waiting(lane: Lane) -> None:
        if drain(triager, lane):
            enqueue_again(lane)

    def enqueue_again(lane: Lane) -> None:
        triage_waiting.apply_async((lane,), queue=triage_queue(lane))

    @worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def enqueue_at_start(**_: Any) -> None:
        """Look at each lane once: a worker that was killed may have taken the message with it."""
        with suppress(OperationalError):
            for lane in LANES:
                if triage_queue(lane) in app.amqp.queues.consume_from:
                    enqueue_again(lane)

    if settings.heartbeat_file:
        app.steps["worker"].add(heartbeat(settings.heartbeat_file))
    app.steps["worker"].add(heartbeats_of_worker(settings, active()))
    return app


def drain(triager: Triager, lane: Lane) -> bool:
    """Triage `lane` until it is empty or the time is up; say whether something may be left."""
    end = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end:
        if triager.triage_waiting(lane) < BATCHES[lane].limit:
            return False
    return True
