"""Takes what one process says, line by line, passes it on under its name and remembers the last of it."""

import os
import re
from collections import deque

from services.embedded.supervisor.console import Console

MAX_LINE = 16384  # bytes; a longer one is cut
REMEMBERED_LINES = 12


class Output:
    """The reading end of the pipe into which the process called `name` writes."""

    def __init__(self, name: str, console: Console, routine: re.Pattern[str] | None = None) -> None:
        self._name = name
        self._routine = routine
        self._console = console
        self._unfinished = b""
        self.descriptor: int | None = None  # where there is something to read, while there is a process
        self.last_lines: deque[str] = deque(maxlen=REMEMBERED_LINES)

    def open(self) -> int:
        """Open a pipe for a new process; return its writing end, which the caller closes."""
        self.last_lines.clear()
        self.descriptor, writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        return writer

    def read(self) -> bool:
        """Pass on what the process has said; return whether it may have said more."""
        if self.descriptor is None:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return False
        if not data:
            self._close()
            return False
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            self._pass_on(line)
        if len(self._unfinished) > MAX_LINE:
            self._finish()
        return True

    def close(self) -> None:
        """Pass on what is left, and close the pipe even if a process still holds its other end."""
        for _ in range(REMEMBERED_LINES):
            if not self.read():
                break
        if self._unfinished:
            self._finish()
        self._close()

    def _finish(self) -> None:
        self._pass_on(self._unfinished)
        self._unfinished = b""

    def _pass_on(self, line: bytes) -> None:
        text = line[:MAX_LINE].decode(errors="replace")
        self.last_lines.append(text)
        if not (self._routine and self._routine.search(text)):
            self._console.pass_on(self._name, text)

    def _close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
