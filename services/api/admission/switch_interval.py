"""Sets how long a thread keeps the interpreter while others wait for it.

A single form hands it on by itself whenever it waits for something, long before the five milliseconds that Python lets
it have. A batch keeps its thread busy for a second, and a red flag would wait for it at each of its steps. A short
interval all the time would cost every thread that waits, as it wakes up after each.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = sys.getswitchinterval()
SHORT_SECONDS = 0.001


class SwitchInterval:
    """Shortens the switch interval of this process for as long as a caller asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = 0

    @contextmanager
    def shorter(self) -> Iterator[None]:
        """Use the short interval within the block."""
        self._ask(1)
        try:
            yield
        finally:
            self._ask(-1)

    def _ask(self, more: int) -> None:
        with self._lock:
            self._asking += more
            sys.setswitchinterval(SHORT_SECONDS if self._asking else SECONDS)
