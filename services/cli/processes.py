"""The processes of `referrals up` beside the servers: a step that prepares the database, API, workers and watchman."""

import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from services.cli.runner.service import Service

COMMAND = (sys.executable, "-P", "-m", "services.cli")
BEATING = {
    "STOP_SECONDS": "5",  # then an unfinished batch is given back; the runner kills after nine
    # Celery says so in twelve lines a worker. A worker takes JSON alone, and as root `up` is what it was started as.
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
}


def preparation(environment: Mapping[str, str], first_keys: Path) -> Service:
    """Return the step that migrates the database and, if it has no keys yet, issues the first ones into a file."""
    command = [*COMMAND, "prepare", "--first-keys", str(first_keys)]
    return Service(name="prepare", command=command, environment=environment, once=True)


def processes(environment: Mapping[str, str], folder: Path, host: str, port: int) -> list[Service]:
    """Return what takes forms, triages them, delivers referrals and keeps watch; heartbeat files go into `folder`."""
    address = ("--host", host, "--port", str(port))
    return [
        Service(
            name="api",
            command=[*COMMAND, "api", *address],
            environment=environment,
            ready=partial(_answers, host, port),
        ),
        _beating("urgent", ("worker", "urgent"), environment, folder),
        _beating("routine", ("worker", "routine"), environment, folder),
        _beating("urgent-delivery", ("worker", "urgent-delivery"), environment, folder),
        _beating("delivery", ("worker", "delivery"), environment, folder),
        _beating("watchman", ("watchman",), environment, folder),
    ]


def _beating(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Service:
    heartbeat = folder / f"{name}.heartbeat"
    return Service(
        name=name,
        command=[*COMMAND, *arguments],
        environment={**environment, **BEATING, "HEARTBEAT_FILE": str(heartbeat)},
        ready=lambda _: heartbeat.exists(),
        prepare=partial(heartbeat.unlink, missing_ok=True),
        stop_phase=1,
    )


def _answers(host: str, port: int, _pid: int) -> bool:
    request = f"GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
