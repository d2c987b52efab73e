"""Becomes the worker process of one lane."""

import os
import sys

from shared.task_queues import Lane, triage_queue

OPTIONS = (
    "--pool=prefork",
    "--without-gossip",  # workers need not know each other
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=INFO",
)


def worker_command(lane: Lane, *, processes: int = 1) -> list[str]:
    """Return the arguments that make Celery consume the task queue of `lane` and nothing else."""
    worker = "urgent" if lane == "priority" else lane
    return [
        "--app=services.worker.entry",
        "--quiet",
        "worker",
        f"--queues={triage_queue(lane)}",
        f"--hostname={worker}@%h",
        f"--concurrency={processes}",
        *OPTIONS,
    ]


def run_worker(lane: Lane, *, processes: int = 1) -> None:
    """Replace this process by the Celery worker of `lane`."""
    command = [sys.executable, "-m", "celery", *worker_command(lane, processes=processes)]
    # SIGTERM then stops softly: the running task gets its time, an idle worker stops at once.
    os.execve(sys.executable, command, {**os.environ, "REMAP_SIGTERM": "SIGQUIT"})  # noqa: S606
