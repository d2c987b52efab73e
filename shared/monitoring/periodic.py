"""Runs periodic tasks in a thread of their own, where they block nothing and no failure ends them."""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.platform.database import create_engine, create_sessions
from shared.platform.settings import Settings
from shared.platform.timeouts import install_client_timeouts
from shared.store.operations.heartbeats import record_heartbeat

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0  # each is a connection of its own, which costs both sides some milliseconds

# Which processes there are; the role is the name of the compose service.
ROLES = ("api", "worker-urgent", "worker-routine", "worker-urgent-delivery", "worker-delivery", "watchman")


def start_periodic(tasks: Sequence[Callable[[], None]], *, every: float = EVERY_SECONDS) -> threading.Event:
    """Run each of `tasks` now and every few seconds, until the event that is returned is set or the process ends.

    One that fails is tried again. A child that this process forks later runs none of them.
    """
    stop = threading.Event()
    threading.Thread(target=_run, args=(tasks, every, stop), name="periodic", daemon=True).start()
    return stop


def process_heartbeat(settings: Settings, role: str) -> Callable[[], None]:
    """Return the task that records the heartbeat of this process, of `role`.

    Its connection is opened for each heartbeat and closed after it: a fork would inherit one that is kept, and two
    processes would read each other's answers from it.
    """
    engine = create_engine(settings, pool_size=0)
    install_client_timeouts(engine)
    sessions = create_sessions(engine)
    process, installed = f"{socket.gethostname()}:{role}:{os.getpid()}", version("psoas")

    def record() -> None:
        with sessions.begin() as session:
            record_heartbeat(session, process, role, installed)

    return record


def _run(tasks: Sequence[Callable[[], None]], every: float, stop: threading.Event) -> None:
    while not stop.is_set():
        for task in tasks:
            try:
                task()
            except (SQLAlchemyError, OSError) as error:
                log.warning("periodic.failed", error=type(error).__name__)
        stop.wait(every)
