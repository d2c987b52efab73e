"""Runs one service for as long as a block lasts, without keeping it running: for a step that needs a server."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.embedded.supervisor.service import Service
from services.embedded.supervisor.spawn import spawn
from services.embedded.supervisor.supervised_process import CannotStartError

START_SECONDS = 60
STOP_SECONDS = 30
LOOK_SECONDS = 0.02  # between two questions whether it is ready


@contextmanager
def running_service(service: Service) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process of `service` once it is ready, and stop it at the end; CannotStartError has its last words."""
    with tempfile.TemporaryFile() as output:
        process = spawn(service, output.fileno())
        try:
            wait_until_ready(service, process)
            yield process
        except CannotStartError as error:
            output.seek(0)
            raise CannotStartError(f"{error}:\n{output.read().decode(errors='replace')}") from None
        finally:
            stop(service, process)


def wait_until_ready(service: Service, process: subprocess.Popen[bytes]) -> None:
    """Return when the service is ready; raise CannotStartError if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not service.ready(process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotStartError(f"{service.name} cannot start")
        time.sleep(LOOK_SECONDS)


def stop(service: Service, process: subprocess.Popen[bytes]) -> None:
    """Stop the process as its service wants it, or kill it if that takes too long."""
    process.send_signal(service.stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
