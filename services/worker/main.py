"""Runs the worker of some task queues in this process."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from celery.apps.worker import Worker as CeleryWorker
from celery.apps.worker import install_worker_term_hard_handler

from services.worker.priority import lower_priority
from shared.platform.metrics import write_metrics_to
from shared.platform.settings import load_settings
from shared.platform.task_queues import DELIVERY_QUEUES, triage_queue

THREADS = 16  # attempts that one delivery worker makes at once

OPTIONS = {
    "without_gossip": True,  # workers need not know each other
    "without_mingle": True,
    "without_heartbeat": True,
    "loglevel": "INFO",
    "quiet": True,
}


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker consumes, what makes its application, and its pool: triage forks, delivery waits in threads.

    What is not urgent `low_priority`. Keys that it does `without` need not be given to it.
    """

    queues: tuple[str, ...]
    app: str = "services.worker.triage.app:create_worker"  # by name: a worker loads no module of the others
    pool: str = "prefork"
    concurrency: int = 1
    low_priority: bool = False
    without: tuple[str, ...] = ("IDENTITY_KEYS", "LOOKUP_KEY")  # triage opens no identity


WORKERS: Mapping[str, Worker] = {
    "urgent": Worker((triage_queue("priority"),)),
    "routine": Worker((triage_queue("routine"),), low_priority=True),
    "urgent-delivery": Worker(
        ("urgent",), "services.worker.delivery.app:create_delivery_worker", "threads", THREADS, without=("LOOKUP_KEY",)
    ),
    "delivery": Worker(
        tuple(queue for queue in DELIVERY_QUEUES if queue != "urgent"),
        "services.worker.delivery.app:create_delivery_worker",
        "threads",
        THREADS,
        low_priority=True,
        without=("LOOKUP_KEY",),
    ),
}


class SoftShutdownWorker(CeleryWorker):  # type: ignore[misc]  # Celery ships no types
    """A worker that SIGTERM stops softly: its running task gets a time, an idle one stops at once."""

    def install_platform_tweaks(self, worker: Any) -> None:
        """Answer signals as Celery does, but SIGTERM as SIGQUIT."""
        super().install_platform_tweaks(worker)
        install_worker_term_hard_handler(worker, sig="SIGTERM")


def worker_options(name: str) -> dict[str, Any]:
    """Return the options that make Celery consume the task queues of the worker called `name` and nothing else."""
    worker = WORKERS[name]
    return {
        "queues": list(worker.queues),
        "hostname": f"{name}@",
        "pool_cls": worker.pool,
        "concurrency": worker.concurrency,
        **OPTIONS,
    }


def run_worker(name: str) -> None:
    """Consume the task queues of the worker called `name` until SIGTERM; ends in SystemExit."""
    settings = load_settings(WORKERS[name].without)
    if WORKERS[name].low_priority:
        lower_priority()
    if WORKERS[name].pool == "threads":
        write_metrics_to(settings.metrics_dir)  # forked processes each do so for themselves
    module, create = WORKERS[name].app.split(":")
    app = getattr(import_module(module), create)(settings)
    # Threads cannot be cut off and need not: what they do ends by its own deadline, and Celery waits for that.
    kind = SoftShutdownWorker if WORKERS[name].pool == "prefork" else CeleryWorker
    # Not by Celery's command, which loads a shell's worth of modules that a worker never uses: 4 MB in each process.
    worker = kind(app=app, **worker_options(name))
    gc.freeze()  # the pool's processes are forks: what is not looked at again stays shared
    worker.start()
    raise SystemExit(worker.exitcode)
