"""Becomes the worker process of some task queues."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from shared.task_queues import DELIVERY_QUEUES, triage_queue

THREADS = 16  # attempts that one delivery worker makes at once

OPTIONS = (
    "--without-gossip",  # workers need not know each other
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=INFO",
)


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker consumes, with which application and pool; triage forks processes, delivery waits in threads."""

    queues: tuple[str, ...]
    app: str = "services.worker.entry"
    pool: str = "prefork"
    concurrency: int = 1


WORKERS: Mapping[str, Worker] = {
    "urgent": Worker((triage_queue("priority"),)),
    "routine": Worker((triage_queue("routine"),)),
    "urgent-delivery": Worker(("urgent",), "services.worker.delivery.entry", "threads", THREADS),
    "delivery": Worker(
        tuple(queue for queue in DELIVERY_QUEUES if queue != "urgent"),
        "services.worker.delivery.entry",
        "threads",
        THREADS,
    ),
}


def worker_command(name: str) -> list[str]:
    """Return the arguments that make Celery consume the task queues of the worker called `name` and nothing else."""
    worker = WORKERS[name]
    return [
        f"--app={worker.app}",
        "--quiet",
        "worker",
        f"--queues={','.join(worker.queues)}",
        f"--hostname={name}@%h",
        f"--pool={worker.pool}",
        f"--concurrency={worker.concurrency}",
        *OPTIONS,
    ]


def run_worker(name: str) -> None:
    """Replace this process by the Celery worker called `name`."""
    command = [sys.executable, "-m", "celery", *worker_command(name)]
    # SIGTERM then stops softly: running tasks get their time, an idle worker stops at once. Threads cannot be cut off
    # and need not: what they do ends by its own deadline, and Celery waits for that by itself.
    softly = {"REMAP_SIGTERM": "SIGQUIT"} if WORKERS[name].pool == "prefork" else {}
    os.execve(sys.executable, command, os.environ | softly)  # noqa: S606
