"""Celery's request for messages that need no acknowledgement: the broker removed them when they were received."""

from celery.worker.request import Request


class WakeUpRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """A request of a queue without acknowledgements (`no_ack`, see `task_queue`)."""

    def acknowledge(self) -> None:
        """Mark it as acknowledged without asking the broker, which could only fail and block a thread."""
        self.acknowledged = True
