"""Keeps watch with nothing but the database: what stands still is announced again, and red flags are triaged from here.

What is due on the queue `urgent` and stands still is delivered from here, too. It needs no broker, so it works exactly
when the broker does not.
"""

import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.worker.alone import COMMAND
from services.worker.child import Child, ChildError
from services.worker.delivery.courier import create_courier
from services.worker.delivery.standing_still import StandIn, announce_standing_still
from services.worker.triage import BATCHES, Triager
from shared.announce import Announcer, create_producer
from shared.database import create_engine, create_sessions
from shared.logs import configure_logs
from shared.protocols import active
from shared.settings import Settings
from shared.store.intakes import forget_old_keys
from shared.store.waiting import standing_still
from shared.task_queues import triage_hint

log = structlog.get_logger()

EVERY_SECONDS = 0.25
PRIORITY_SECONDS = 0.75  # a red flag that has waited this long is triaged from here
ANNOUNCE_SECONDS = 1.0  # anything that has stood still this long is announced again
TIDY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Watchman:
    """One round is `watch()`."""

    triager: Triager
    heartbeat_file: Path | None = None

    def watch(self) -> None:
        """Look once at every lane."""
        with self.triager.sessions() as session:
            ages = standing_still(session)
        for lane, age in ages.items():
            if age >= ANNOUNCE_SECONDS:
                self.triager.announce(triage_hint(lane))
        if ages.get("priority", 0) >= PRIORITY_SECONDS:
            self._triage_priority()
        announce_standing_still(self.triager.sessions, self.triager.announce)

    def _triage_priority(self) -> None:
        log.warning("watchman.triage", lane="priority")
        while self.triager.triage_waiting("priority") == BATCHES["priority"].limit:
            pass

    def tidy(self) -> None:
        """Forget what is kept for a time only."""
        with self.triager.sessions.begin() as session:
            forget_old_keys(session)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`; a database or child that is away is tried again at the next round."""
        tidy_at = time.monotonic()
        while not stop.wait(EVERY_SECONDS):
            try:
                self.triager.child.start()  # warm, so that a red flag never waits for it
                self.watch()
                if time.monotonic() >= tidy_at:
                    self.tidy()
                    tidy_at = time.monotonic() + TIDY_SECONDS
            except (SQLAlchemyError, ChildError) as error:
                log.error("watchman.cannot_watch", error=type(error).__name__)
            else:
                if self.heartbeat_file:
                    self.heartbeat_file.touch()


def run_watchman(settings: Settings) -> None:
    """Keep watch in this process until SIGTERM or SIGINT."""
    configure_logs(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sessions = create_sessions(create_engine(settings, pool_size=1))
    with Child(COMMAND) as child:
        announce = Announcer(create_producer(settings)).announce
        triager = Triager(sessions, active(), settings.holidays, child, None, announce)
        StandIn(create_courier(settings, announce, pool_size=2)).start(stop)
        Watchman(triager, settings.heartbeat_file).run(stop)
