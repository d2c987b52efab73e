"""A message on its way through a worker, which took it for good."""

from celery.worker.request import Request


class WakeUpRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """A request that was taken without acknowledgement (see `task_queue`): there is nothing to give."""

    def acknowledge(self) -> None:
        """Do nothing; asking the broker could only fail, and hold up a thread."""
        self.acknowledged = True
