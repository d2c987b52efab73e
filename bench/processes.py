"""Starts processes for a measurement, waits until they are ready, and leaves none behind."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from services.embedded.supervisor.service import Service
from services.embedded.supervisor.spawn import spawn

READY_SECONDS = 30
STOP_SECONDS = 20
POLL_SECONDS = 0.01


class NotReadyError(Exception):
    """A process ended, or was not ready in READY_SECONDS; its output is in the log named."""


@contextmanager
def running(services: Sequence[Service], log: Path) -> Iterator[list[int]]:
    """Run `services`, each started when the one before is ready; give their process ids. Output is added to `log`.

    They end as their `stop_signal` makes them, with whatever they started.
    """
    started: list[tuple[Service, subprocess.Popen[bytes]]] = []
    try:
        for service in services:
            with log.open("ab") as output:
                process = spawn(service, output.fileno())
            started.append((service, process))
            _wait(service, process, log)
        yield [process.pid for _, process in started]
    finally:
        for service, process in started:
            process.send_signal(service.stop_signal)
        for _, process in started:
            _end(process)


def _wait(service: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not service.ready(process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReadyError(f"{service.name}: see {log}")
        time.sleep(POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
