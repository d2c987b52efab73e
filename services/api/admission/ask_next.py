"""Works out what to ask next, on a few threads at a time: it decides a form some hundred times.

A form that is posted never comes here, and never finds all threads busy with this.
"""

import threading
from typing import Any

from services.api.http.problems import ProblemError
from shared.clinical.ask_next import ask_next
from shared.clinical.form import Form
from shared.clinical.protocol import Protocol

RETRY_AFTER_SECONDS = "1"


class AskNext:
    """Bulkhead: at most `most` threads at once work out what to ask next; for one more there is no waiting."""

    def __init__(self, most: int) -> None:
        self.slots = threading.BoundedSemaphore(most)

    def of(self, form: Form, protocol: Protocol) -> list[dict[str, Any]]:
        """Return what to ask next about a form; raise ProblemError 503 where too many ask already."""
        if not self.slots.acquire(blocking=False):
            raise ProblemError(
                503,
                "Too many ask what to ask next. Please ask again.",
                kind="busy",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
            )
        try:
            return ask_next(form, protocol)
        finally:
            self.slots.release()
