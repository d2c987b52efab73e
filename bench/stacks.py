"""The services that are measured, as processes: ours, the ordinary baseline, and an empty Flask application."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from bench.bodies import get
from bench.client import Address, Connection, NoAnswerError
from bench.processes import running
from bench.scene import Scene
from services.embedded.supervisor.service import Service

HOST = "127.0.0.1"
PYTHON = sys.executable
REFERRALS = (PYTHON, "-m", "services.cli")


@dataclass(frozen=True, slots=True)
class Stack:
    """A service under test: the command of its API, to which a port is added, and those of its workers."""

    name: str
    api: tuple[str, ...]
    workers: tuple[tuple[str, ...], ...] = ()


# Two processes triage in each: ours one for each lane, the ordinary service two for its one queue.
OURS = Stack(
    "ours",
    (*REFERRALS, "api", "--host", HOST, "--port"),
    ((*REFERRALS, "worker", "urgent"), (*REFERRALS, "worker", "routine"), (*REFERRALS, "watchman")),
)
PLAIN = Stack(
    "plain",
    (PYTHON, "-m", "bench.plain.serve"),
    ((PYTHON, "-m", "celery", "--app=bench.plain.entry", "worker", "--concurrency=2", "--loglevel=WARNING"),),
)
EMPTY = Stack("empty Flask", (PYTHON, "-m", "bench.empty"))


@contextmanager
def api(scene: Scene, stack: Stack) -> Iterator[Address]:
    """Run the API of `stack`; give the address where it answers."""
    address = (HOST, free_port())
    command = (*stack.api, str(address[1]))
    service = Service(f"{stack.name} api", command, scene.environment, ready=lambda _: answers(address, "/health/live"))
    with running([service], scene.log):
        yield address


@contextmanager
def workers(scene: Scene, stack: Stack) -> Iterator[None]:
    """Run the workers of `stack`; they may still be starting when this gives control."""
    # Killed at the end: what they leave behind, the next measurement clears.
    services = [
        Service(f"{stack.name} worker", command, scene.environment, stop_signal=signal.SIGKILL)
        for command in stack.workers
    ]
    with running(services, scene.log):
        yield


def free_port() -> int:
    """Return a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(address: Address, path: str) -> bool:
    """Say whether `path` answers 200 already."""
    try:
        with closing(Connection(address)) as connection:
            return connection.exchange(get(path, ""))[0] == 200
    except (OSError, NoAnswerError):
        return False
