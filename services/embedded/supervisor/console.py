"""Writes the output of the processes and the supervisor to standard output, without waiting for a slow reader.

A terminal that is held with Ctrl-S, or a pipe that nobody empties, must not hold up the processes behind it: what it
does not take at once is left out, and counted.
"""

import json
import os
import select

PIECE = 4096  # bytes; a pipe that is ready takes so many without blocking
STUCK_SECONDS = 0.05  # how long a reader may take before a line is left out


class Console:
    """Standard output, or another open file descriptor; with `as_json` every line is one JSON object."""

    def __init__(self, descriptor: int = 1, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._descriptor = descriptor
        self._stuck = False
        self._left_out = 0

    def say(self, text: str) -> None:
        """Write a line, or several, of the supervisor's own."""
        self._write(_object("up", text) if self.as_json else f"{text}\n")

    def pass_on(self, name: str, line: str) -> None:
        """Write a line of the process called `name`."""
        self._write(_object(name, line) if self.as_json else f"{name:<8} | {line}\n")

    def _write(self, text: str) -> None:
        if self._left_out and self._ready():
            self._put(f"({self._left_out} lines left out: nobody read them)\n".encode())
            self._left_out = 0
        if not self._put(text.encode(errors="replace")):
            self._left_out += text.count("\n")

    def _put(self, data: bytes) -> bool:
        for start in range(0, len(data), PIECE):
            if not self._ready():
                return False
            try:
                os.write(self._descriptor, data[start : start + PIECE])
            except OSError:  # nobody will ever read it
                return True
        return True

    def _ready(self) -> bool:
        timeout = 0.0 if self._stuck else STUCK_SECONDS
        self._stuck = not select.select([], [self._descriptor], [], timeout)[1]
        return not self._stuck


def _object(process: str, line: str) -> str:
    """Return a line as JSON: the object that a process logged, with its name, or its words as `event`."""
    try:
        logged = json.loads(line)
    except ValueError:
        logged = None
    content = logged if isinstance(logged, dict) else {"event": line.strip()}
    return json.dumps({"process": process, **content}) + "\n"
