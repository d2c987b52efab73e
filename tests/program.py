"""A program that a test runs and watches: what it says, how it ends, and which processes belong to it."""

import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class Program:
    """A running program whose output is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Return the match in the next line that has one; everything before it is in `said`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"{pattern!r} was never said:\n" + "".join(self.said))
            self.said.append(line)
            if match := re.search(pattern, line):
                return match

    def find(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Return the match in what was said until now, or in the next line that has one."""
        said = (re.search(pattern, line) for line in self.said)
        return next(filter(None, said), None) or self.wait_for(pattern, seconds)

    def listen(self) -> None:
        """Take in what was said until now, so that the next wait is for something new."""
        with suppress(queue.Empty):
            while (line := self._lines.get_nowait()) is not None:
                self.said.append(line)

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 10) -> int:
        """Send the signal; return the exit code, with everything that was said until then in `said`."""
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        while (line := self._lines.get_nowait()) is not None:
            self.said.append(line)
        return code

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)


@contextmanager
def program(command: Sequence[str | Path], **options: Any) -> Iterator[Program]:
    """Yield `command` running; it and all its descendants are gone at the end, however the test ends."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, **options
    )
    with process:
        try:
            yield Program(process)
        finally:
            family = descendants(process.pid)
            process.terminate()
            try:
                process.wait(12)
            except subprocess.TimeoutExpired:
                process.kill()
            for pid in filter(alive, family):  # before the pipe is closed, which waits for whoever holds its other end
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> set[int]:
    """Return the process ids of all that `pid` has started, and what those have started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
    except FileNotFoundError:
        return set()
    return children.union(*map(descendants, children))


def alive(pid: int) -> bool:
    """Say whether a process still runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_gone(pids: set[int], seconds: float = 10) -> bool:
    """Wait until none of `pids` runs any more; say whether that came true."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
