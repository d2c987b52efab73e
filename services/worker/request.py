"""A message on its way through a worker, which tells the worker when its acknowledgement finds no broker.

Celery logs such a failure and goes on. The message then counts as unacknowledged for ever, and a worker that may hold
one message at a time never takes another, although the broker is back. Raised, the error makes it connect afresh.
"""

from typing import Any

from celery.worker.request import Request


class FrankRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """A request whose connection errors are raised, not logged away."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make the request as Celery does, with no error that it would swallow."""
        super().__init__(*args, **{**kwargs, "connection_errors": ()})


class HintRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """A request that was taken without acknowledgement (see the task queues of delivery): there is nothing to give."""

    def acknowledge(self) -> None:
        """Do nothing; asking the broker could only fail, and hold up a thread."""
        self.acknowledged = True
