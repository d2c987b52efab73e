"""A file that a worker touches for as long as it is at work."""

from pathlib import Path
from typing import Any

from celery import bootsteps

HEARTBEAT_SECONDS = 5


def heartbeat(file: Path) -> type[bootsteps.StartStopStep]:
    """Return the step that touches `file` from the worker's own event loop: it stops when the worker does."""

    class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
        """Touches a file for as long as the worker's timer runs."""

        requires = ("celery.worker.components:Timer",)

        def start(self, parent: Any) -> None:
            file.touch()
            parent.timer.call_repeatedly(HEARTBEAT_SECONDS, file.touch)

    return Heartbeat
