"""Touches the heartbeat file of a worker, by whose age a health check sees whether it hangs."""

from pathlib import Path
from typing import Any

from celery import bootsteps

HEARTBEAT_SECONDS = 5


def heartbeat(file: Path) -> type[bootsteps.StartStopStep]:
    """Return the Celery bootstep that touches `file` from the event loop of the worker, so it ends when that hangs."""

    class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
        """Touches a file for as long as the worker's timer runs."""

        requires = ("celery.worker.components:Timer",)

        def start(self, parent: Any) -> None:
            file.touch()
            parent.timer.call_repeatedly(HEARTBEAT_SECONDS, file.touch)

    return Heartbeat
