"""Starts what a worker or watchman does beside its work: heartbeats in the database, and metrics for Prometheus."""

from typing import TYPE_CHECKING, Any

from celery import bootsteps
from prometheus_client import start_http_server

from shared.monitoring.exposition import create_registry
from shared.monitoring.periodic import process_heartbeat, start_periodic
from shared.platform.settings import Settings

if TYPE_CHECKING:
    from shared.clinical.protocol import Protocol


def start_heartbeats(settings: Settings, role: str, protocol: "Protocol | None") -> None:
    """Store a heartbeat every few seconds from a thread; serve metrics to Prometheus where METRICS_PORT is set."""
    start_periodic([process_heartbeat(settings, role)])
    if settings.metrics_port:
        start_http_server(settings.metrics_port, registry=create_registry(settings, protocol))


def heartbeats_of_worker(settings: Settings, protocol: "Protocol | None" = None) -> type[bootsteps.StartStopStep]:
    """Return the Celery bootstep that starts them in the parent process, once its children are there.

    `protocol` is the one by which the worker decides, None where it does not.
    """

    class Heartbeats(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
        """Starts the threads; they end with the process."""

        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            start_heartbeats(settings, role_of(parent.hostname), protocol)

    return Heartbeats


def role_of(hostname: str) -> str:
    """Return the role of the worker that Celery calls `hostname`."""
    return f"worker-{hostname.partition('@')[0]}"
