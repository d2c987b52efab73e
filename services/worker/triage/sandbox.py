"""Runs a child process that answers one line for one line, and that may be killed at any time without harm.

Forms that can hang or crash their process (poison messages) are decided there. The process starts with the first
question; after each failure the next question starts another. An answer repeats its question's number: another
patient's is never taken.
"""

import select
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

READY = b"ready\n"
START_SECONDS = 20
CHUNK = 65_536


class SandboxError(Exception):
    """The process died, answered too late or could not start; it is gone now."""


class Sandbox:
    """Runs `command`, which prints READY, then for each line, a number and a question, that number and its answer."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process unless it runs, and wait until it is ready."""
        self._started()

    def ask(self, question: bytes, *, seconds: float) -> bytes:
        """Return the answer to `question`, both one line without its break; raise SandboxError after `seconds`."""
        process = self._started()
        self._asked += 1
        number = b"%d " % self._asked
        try:
            _write(process, number + question + b"\n")
            return _answer(_line(process, seconds), number)
        except (OSError, SandboxError) as error:
            self.stop()
            raise SandboxError(str(error)) from None
        except BaseException:  # the caller was interrupted: the answer still to come must not be read as the next one
            self.stop()
            raise

    def stop(self) -> None:
        """Kill the process, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.stop()  # it died while nobody asked: no question's fault
        if self._process is None:
            self._is_ready = False
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, from no input
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={},  # it needs none, and a form that takes it over finds no address and no key
            )
        if not self._is_ready:  # a caller that was interrupted during the start has not read READY
            with suppress(SandboxError):
                self._is_ready = _line(self._process, START_SECONDS) == READY
            if not self._is_ready:
                self.stop()
                raise SandboxError("it could not start")
        return self._process


def _answer(said: bytes, number: bytes) -> bytes:
    answer = said.removeprefix(number).removesuffix(b"\n")
    if not said.startswith(number) or b"\n" in answer:
        raise SandboxError("it answered something else")
    return answer


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin  # noqa: S101 - it was opened as a pipe
    process.stdin.write(line)


def _line(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    assert process.stdout  # noqa: S101 - it was opened as a pipe
    deadline = time.monotonic() + seconds
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        if not readable:
            raise SandboxError("it answered too late")
        part = process.stdout.read(CHUNK)
        if not part:
            raise SandboxError("it died")
        line += part
    return line
