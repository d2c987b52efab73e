"""Keeps watch with nothing but the database: red flags, what stands still, and referrals that nobody acknowledges.

What is due on the queue `urgent` and stands still is delivered from here, too. It needs no broker, so it works exactly
when the broker does not.
"""

import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from services.worker.alone import COMMAND
from services.worker.books import Bookkeeper
from services.worker.child import Child
from services.worker.delivery.courier import create_courier
from services.worker.delivery.standing_still import ANNOUNCE_AGE, StandIn, announce_standing_still
from services.worker.duties import EACH_HOUR, EACH_MINUTE, EVERY_ROUND, ROUND_SECONDS, Duty, Rota
from services.worker.escalation import Ladder
from services.worker.record_numbers import STEP_SECONDS, RecordNumbers
from services.worker.signs import give_signs
from services.worker.triage import BATCHES, Triager
from shared.announce import Announcer, create_producer
from shared.crypto import IdentityCipher
from shared.database import autocommit, create_engine, create_sessions
from shared.logs import configure_logs
from shared.metrics import count_in
from shared.protocols import active
from shared.settings import Settings
from shared.store.due import due
from shared.store.heartbeats import forget_old_beats
from shared.store.intakes import MOST_KEYS, forget_old_keys
from shared.store.queues import sum_up
from shared.store.waiting import standing_still
from shared.task_queues import triage_hint

log = structlog.get_logger(__name__)

PRIORITY_SECONDS = 0.75  # a red flag that has waited this long is triaged from here
ANNOUNCE_SECONDS = 1.0  # anything that has stood still this long is announced again


@dataclass(frozen=True, slots=True)
class Watchman:
    """Red flags are watched in a rota of their own, so that no other duty delays them."""

    triager: Triager
    heartbeat_file: Path | None = None
    record_numbers: RecordNumbers | None = None

    def red_flags(self) -> list[Duty]:
        """Return what red flags depend on."""
        return [
            Duty("lanes", EVERY_ROUND, self.watch),
            Duty("child", EVERY_ROUND, self.triager.child.start),  # warm, so that a red flag never waits for it
        ]

    def others(self) -> list[Duty]:
        """Return everything else."""
        books = Bookkeeper(self.triager.sessions)
        ladder = Ladder(self.triager.sessions, self.triager.protocol.targets, self.triager.announce)
        backfill = [Duty("record_numbers", STEP_SECONDS, self.record_numbers.step)] if self.record_numbers else []
        return [
            Duty("escalation", EVERY_ROUND, ladder.climb),
            Duty(
                "deliveries",
                EVERY_ROUND,
                partial(announce_standing_still, self.triager.sessions, self.triager.announce),
            ),
            Duty("clocks", EACH_MINUTE, ladder.start_clocks),
            Duty("numbers", EVERY_ROUND, books.number),
            Duty("queues", EVERY_ROUND, self.sum_up_queues),
            Duty("audit", EACH_MINUTE, books.audit),
            Duty("head", EACH_HOUR, books.tell_head),
            Duty("old_keys", EACH_HOUR, self.tidy),
            *backfill,
        ]

    def glance(self) -> Mapping[str, bool]:
        """Say of the duties of every round, red flags apart, whether there is anything to do."""
        with autocommit(self.triager.sessions) as session:
            return due(session, age=ANNOUNCE_AGE)

    def watch(self) -> None:
        """Look once at every lane."""
        with autocommit(self.triager.sessions) as session:
            ages = standing_still(session)
        for lane, age in ages.items():
            if age >= ANNOUNCE_SECONDS:
                self.triager.announce(triage_hint(lane))
        if ages.get("priority", 0) >= PRIORITY_SECONDS:
            self._triage_priority()

    def _triage_priority(self) -> None:
        log.warning("watchman.triage", lane="priority")
        while self.triager.triage_waiting("priority") == BATCHES["priority"].limit:
            pass

    def tidy(self) -> None:
        """Forget what is kept for a time only."""
        forgotten = MOST_KEYS
        while forgotten == MOST_KEYS:
            with self.triager.sessions.begin() as session:
                forgotten = forget_old_keys(session)
        with self.triager.sessions.begin() as session:
            forget_old_beats(session)

    def sum_up_queues(self) -> None:
        """Keep reading how the queues stand as fast as it is."""
        with self.triager.sessions.begin() as session:
            sum_up(session)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`. The heart beats while red flags are watched and the other duties come to an end."""
        red_flags, others = Rota(self.red_flags()), Rota(self.others(), self.glance)
        aside = threading.Thread(target=others.keep, args=(stop,), name="duties")
        aside.start()
        while not stop.wait(ROUND_SECONDS):
            if red_flags.round() and others.is_alive() and self.heartbeat_file:
                self.heartbeat_file.touch()
        aside.join()


def run_watchman(settings: Settings) -> None:
    """Keep watch in this process until SIGTERM or SIGINT."""
    configure_logs(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sessions = create_sessions(create_engine(settings, pool_size=2))  # one connection for each rota
    count_in(settings.metrics_dir)
    give_signs(settings, "watchman", active())
    with Child(COMMAND) as child:
        announce = Announcer(create_producer(settings)).announce
        triager = Triager(sessions, active(), settings.holidays, child, None, announce)
        StandIn(create_courier(settings, announce, pool_size=2)).start(stop)
        record_numbers = RecordNumbers(sessions, IdentityCipher(settings.identity_keys), settings.lookup_key)
        Watchman(triager, settings.heartbeat_file, record_numbers).run(stop)
