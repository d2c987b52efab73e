"""One service's process through its starts and ends, started again after a growing pause."""

import os
import signal
import subprocess
import time

from services.embedded.supervisor.console import Console
from services.embedded.supervisor.forked_process import ForkedProcess, fork_process
from services.embedded.supervisor.output import Output
from services.embedded.supervisor.service import Service
from services.embedded.supervisor.spawn import spawn

ATTEMPTS = 3  # a service that was never ready and fails this often cannot start at all
START_SECONDS = 60  # to be ready
LOOK_SECONDS = 0.05  # between two questions whether it is
FIRST_PAUSE, MAX_PAUSE = 0.25, 10.0  # seconds before a new start, doubled each time
STEADY_SECONDS = 30  # a process that was ready so long begins again with the first pause

Process = subprocess.Popen[bytes] | ForkedProcess


class CannotStartError(Exception):
    """A service cannot be started at all; the message is its reason."""


class SupervisedProcess:
    """The process of `service`, while it has one."""

    def __init__(self, service: Service, console: Console) -> None:
        self.service = service
        self.output = Output(service.name, console, service.routine)
        self.process: Process | None = None
        self.ready = False
        self._console = console
        self._was_ready = False
        self._failures = 0
        self._since = 0.0  # of its last start, or of being ready
        self._next_start = 0.0

    def waits_for(self) -> float | None:
        """Return how many seconds from now it has to be looked at again, or None if only its end matters."""
        if self.ready:
            return None
        return LOOK_SECONDS if self.process else max(0.0, self._next_start - time.monotonic())

    def look(self) -> None:
        """Bring the state up to date: start it if it is time, see whether it is ready or has ended."""
        if self.process is None:
            if time.monotonic() >= self._next_start and not (self.service.once and self.ready):
                self._start()
        elif (status := self.process.poll()) is not None:
            self._ended(status)
        elif not self.ready and not self.service.once:
            self._check_ready(self.process)

    def has_stopped(self) -> bool:
        """Say whether no process is left, and reap one that has ended."""
        if self.process and self.process.poll() is not None:
            self._forget()
        return self.process is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its process, if there is one."""
        if self.process:
            self.process.send_signal(number)

    def _start(self) -> None:
        self._since = time.monotonic()
        writer = self.output.open()
        try:
            self.process = (spawn if self.service.command else fork_process)(self.service, writer)
        except OSError as error:
            self.output.last_lines.append(str(error))
            self.output.close()
            self._failed("cannot be run")
        finally:
            os.close(writer)

    def _check_ready(self, process: Process) -> None:
        if self.service.ready(process.pid):
            if self._was_ready:
                self._console.say(f"{self.service.name} is back")
            self.ready = self._was_ready = True
            self._since = time.monotonic()
        elif time.monotonic() - self._since > START_SECONDS:
            self.output.last_lines.append(f"not ready after {START_SECONDS} s")
            self.send(signal.SIGKILL)

    def _ended(self, status: int) -> None:
        if self.ready and time.monotonic() - self._since > STEADY_SECONDS:
            self._failures = 0
        self._forget()
        if self.service.once and status == 0:
            self.ready = True
        else:
            self._failed(f"ended ({_in_words(status)})")

    def _forget(self) -> None:
        self.output.close()
        self.process, self.ready = None, False

    def _failed(self, how: str) -> None:
        self._failures += 1
        if not self._was_ready and self._failures >= ATTEMPTS:
            lines = "".join(f"\n  {line}" for line in self.output.last_lines)
            raise CannotStartError(f"{self.service.name} cannot start, it {how}:{lines}")
        pause = min(FIRST_PAUSE * 2 ** min(self._failures - 1, 10), MAX_PAUSE)
        self._next_start = time.monotonic() + pause
        self._console.say(f"{self.service.name} {how}; starting it again in {pause:g} s")


def _in_words(status: int) -> str:
    return f"exit code {status}" if status >= 0 else signal.Signals(-status).name
