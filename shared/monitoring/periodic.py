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


def start_periodic(chores: Sequence[Callable[[], None]], *, every: float = EVERY_SECONDS) -> threading.Event:
    """Do each of `chores` now and every few seconds, until the event that is returned is set or the process ends.

    One that fails is tried again. No child that this process forks later has a pulse.
    """
    stop = threading.Event()
    threading.Thread(target=_beat, args=(chores, every, stop), name="pulse", daemon=True).start()
    return stop


def process_heartbeat(settings: Settings, role: str) -> Callable[[], None]:
    """Return the chore that says that this process, of `role`, is at work.

    Its connection is opened for each beat and closed after it: one that is kept would be inherited by a fork, and two
    processes would read each other's answers from it.
    """
    engine = create_engine(settings, pool_size=0)
    install_client_timeouts(engine)
    sessions = create_sessions(engine)
    process, installed = f"{socket.gethostname()}:{role}:{os.getpid()}", version("psoas")

    def say() -> None:
        with sessions.begin() as session:
            record_heartbeat(session, process, role, installed)

    return say


def _beat(chores: Sequence[Callable[[], None]], every: float, stop: threading.Event) -> None:
    while not stop.is_set():
        for chore in chores:
            try:
                chore()
            except (SQLAlchemyError, OSError) as error:
                log.warning("periodic.failed", error=type(error).__name__)
        stop.wait(every)
