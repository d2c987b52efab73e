"""The processes of `referrals up` beside the servers: a step that prepares the database, API, workers and watchman.

Each is a fork of the supervisor that calls a command of `referrals`. What most of them need is loaded before, once, and
shared by all: a process of its own would take two to four times the memory, and a second of both processors to start.
"""

import re
import socket
import warnings
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from services.cli.main import main
from services.embedded.own_listener import own_context
from services.embedded.supervisor.service import Service
from shared.protocols import active

SHARED = (
    *("services.cli.run.api", "services.cli.run.worker", "services.cli.run.watchman"),
    *("services.worker.triage.app", "services.worker.delivery.app"),
    *("psycopg", "celery.concurrency.prefork", "celery.worker.consumer", "kombu.transport.redis"),  # found by name
    *("celery.app.amqp", "celery.app.events", "celery.app.log", "celery.concurrency.thread", "celery.fixups.django"),
    *("celery.worker.autoscale", "celery.worker.loops", "celery.worker.strategy", "kombu.pidbox"),
)
ROUTINE = re.compile(r"^$|^worker: (Hitting Ctrl\+C again|Warm shutdown|Cold shutdown)")  # the last line of Celery
OWNER = ("OWNER_DATABASE_URL", "OWNER_DATABASE_URL_FILE")
STOP_SECONDS = "5"  # then an unfinished batch is given back; the supervisor kills after nine


def preload() -> None:
    """Load what the processes share."""
    for module in SHARED:
        import_module(module)
    active()
    create_engine("postgresql+psycopg://")  # what the first engine of a process makes, and every later one uses
    # Celery takes an account that has no name on this machine for root, and says so in twelve lines a worker.
    for words in ("An entry for the specified gid or egid was not found", "You're running the worker with superuser"):
        warnings.filterwarnings("ignore", words)


def preparation(environment: Mapping[str, str]) -> Service:
    """Return the step that migrates the database and checks that the secrets fit it."""
    return _forked("prepare", ("prepare",), environment, once=True)


def issue_first_keys(environment: Mapping[str, str], file: Path) -> Service:
    """Return the step that issues the first keys of a database that has none into `file`; the last one of a start."""
    return _forked("keys", ("first-keys", str(file)), _of_service(environment), once=True)


def processes(
    environment: Mapping[str, str], folder: Path, host: str, port: int, *, insecure: bool = False
) -> list[Service]:
    """Return what takes forms, triages, delivers and keeps watch; counts and heartbeat files go into `folder`."""
    environment = {**_of_service(environment), "METRICS_DIR": str(folder / "metrics")}
    address = ("--host", host, "--port", str(port), *(["--insecure"] if insecure else []))
    answers = partial(_answers, host, port, tls=bool(environment.get("TLS_CERTIFICATE_FILE")))
    return [
        _forked("api", ("api", *address), environment, ready=answers),
        _beating("urgent", ("worker", "urgent"), environment, folder),
        _beating("routine", ("worker", "routine"), environment, folder),
        _beating("urgent-delivery", ("worker", "urgent-delivery"), environment, folder),
        _beating("delivery", ("worker", "delivery"), environment, folder),
        _beating("watchman", ("watchman",), environment, folder),
    ]


def _of_service(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what opens the database as its owner: what serves cannot change the schema, nor what was recorded."""
    return {name: value for name, value in environment.items() if name not in OWNER}


def _beating(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Service:
    heartbeat = folder / f"{name}.heartbeat"
    return _forked(
        name,
        arguments,
        {**environment, "STOP_SECONDS": STOP_SECONDS, "HEARTBEAT_FILE": str(heartbeat)},
        ready=lambda _: heartbeat.exists(),
        prepare=partial(heartbeat.unlink, missing_ok=True),
        stop_phase=1,
        routine=ROUTINE,
    )


def _forked(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], **more: Any) -> Service:
    return Service(name, (), environment, run=partial(main, arguments, prog_name="referrals"), **more)


def _answers(host: str, port: int, _pid: int, *, tls: bool) -> bool:
    request = f"GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    try:
        with _connected(host, port, tls=tls) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _connected(host: str, port: int, *, tls: bool) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=1)
    return own_context().wrap_socket(connection) if tls else connection
