"""Watches red flags, stalled deliveries and unacknowledged referrals, with nothing but the database.

Stalled deliveries on the queue `urgent` are made from here, too. It needs no broker, so it works exactly
when the broker does not.
"""

import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from services.worker.delivery.dispatcher import create_dispatcher
from services.worker.delivery.stalled import ANNOUNCE_AGE, StalledDeliverer, announce_stalled
from services.worker.heartbeats import start_heartbeats
from services.worker.triage.sandbox import Sandbox
from services.worker.triage.sandbox_process import COMMAND
from services.worker.triage.triager import BATCHES, Triager
from services.worker.watchman.contacts import ContactWatch
from services.worker.watchman.escalation import Ladder
from services.worker.watchman.event_sequencer import EventSequencer
from services.worker.watchman.record_numbers import STEP_SECONDS, RecordNumbers
from services.worker.watchman.scheduler import (
    EACH_HOUR,
    EACH_MINUTE,
    EVERY_ROUND,
    PRIORITY_INTERVAL_SECONDS,
    PeriodicTask,
    Scheduler,
)
from services.worker.watchman.sealer import SEAL_SECONDS, Sealer, create_sealer
from shared.clinical.triage import triage
from shared.platform.ciphers import identity_cipher
from shared.platform.database import autocommit, create_engine, create_sessions
from shared.platform.logs import configure_logs
from shared.platform.metrics import write_metrics_to
from shared.platform.settings import Settings
from shared.platform.task_queues import triage_wake_up
from shared.platform.tracing.traces import configure_traces
from shared.platform.wake_ups.publisher import create_announcer
from shared.protocols import active
from shared.store.access.failed_authentications import delete_old_failures
from shared.store.names.idempotency_keys import MAX_KEYS, delete_old_keys
from shared.store.operations.heartbeats import delete_old_heartbeats
from shared.store.operations.pending_work import pending_work
from shared.store.queues import sum_up
from shared.store.triage_queue import oldest_waiting

log = structlog.get_logger(__name__)

PRIORITY_SECONDS = 0.75  # a red flag that has waited this long is triaged from here
ACCESS_SECONDS = 5.0  # after which what was recorded of accesses has its number
ANNOUNCE_SECONDS = 1.0  # anything that has been stalled for so long is announced again


@dataclass(frozen=True, slots=True)
class Watchman:
    """Red flags are watched by a scheduler of their own, so that no other task delays them."""

    triager: Triager
    heartbeat_file: Path | None = None
    record_numbers: RecordNumbers | None = None
    sealer: Sealer | None = None

    def red_flags(self) -> list[PeriodicTask]:
        """Return the tasks that red flags depend on."""
        return [
            PeriodicTask("lanes", EVERY_ROUND, self.watch),
            PeriodicTask(
                "sandbox", EVERY_ROUND, self.triager.sandbox.start
            ),  # warm, so that a red flag never waits for it
        ]

    def others(self) -> list[PeriodicTask]:
        """Return all other tasks."""
        sequencer = EventSequencer(self.triager.sessions)
        ladder = Ladder(self.triager.sessions, self.triager.protocol.targets, self.triager.announce)
        contacts = ContactWatch(self.triager.sessions, self.triager.announce)
        backfill = (
            [PeriodicTask("record_numbers", STEP_SECONDS, self.record_numbers.step)] if self.record_numbers else []
        )
        return [
            PeriodicTask("escalation", EVERY_ROUND, ladder.climb),
            PeriodicTask("contacts", EVERY_ROUND, contacts.look),
            PeriodicTask(
                "deliveries",
                EVERY_ROUND,
                partial(announce_stalled, self.triager.sessions, self.triager.announce),
            ),
            PeriodicTask("clocks", EACH_MINUTE, ladder.start_clocks),
            PeriodicTask("numbers", EVERY_ROUND, sequencer.number),
            PeriodicTask("access_numbers", ACCESS_SECONDS, sequencer.number_access),
            PeriodicTask("queues", EVERY_ROUND, self.sum_up_queues),
            PeriodicTask("audit", EACH_MINUTE, sequencer.audit),
            PeriodicTask("head", EACH_HOUR, sequencer.log_chain_head),
            PeriodicTask("old_keys", EACH_HOUR, self.clean_up),
            *backfill,
            *self._seals(),
        ]

    def _seals(self) -> list[PeriodicTask]:
        if self.sealer is None:
            return []
        return [
            PeriodicTask("seals", SEAL_SECONDS, self.sealer.seal),
            PeriodicTask("signed_head", EACH_HOUR, self.sealer.write_head),
        ]

    def has_work(self) -> Mapping[str, bool]:
        """Say of each task but the red flags whether there is anything to do."""
        with autocommit(self.triager.sessions) as session:
            return pending_work(session, age=ANNOUNCE_AGE)

    def watch(self) -> None:
        """Look once at every lane."""
        with autocommit(self.triager.sessions) as session:
            ages = oldest_waiting(session)
        for lane, age in ages.items():
            if age >= ANNOUNCE_SECONDS:
                self.triager.announce(triage_wake_up(lane))
        if ages.get("priority", 0) >= PRIORITY_SECONDS:
            self._triage_priority()

    def _triage_priority(self) -> None:
        log.warning("watchman.triage", lane="priority")
        while self.triager.triage_waiting("priority") == BATCHES["priority"].limit:
            pass

    def clean_up(self) -> None:
        """Delete expired idempotency keys, heartbeats and counts of failed authentication."""
        forgotten = MAX_KEYS
        while forgotten == MAX_KEYS:
            with self.triager.sessions.begin() as session:
                forgotten = delete_old_keys(session)
        with self.triager.sessions.begin() as session:
            delete_old_heartbeats(session)
            delete_old_failures(session)

    def sum_up_queues(self) -> None:
        """Sum up the changes of queue counts, so that reading them stays fast."""
        with self.triager.sessions.begin() as session:
            sum_up(session)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`. Heartbeats go on while red flags are watched and the other tasks come to an end."""
        red_flags, others = Scheduler(self.red_flags()), Scheduler(self.others(), self.has_work)
        aside = threading.Thread(target=others.run_until, args=(stop,), name="scheduler")
        aside.start()
        while not stop.wait(PRIORITY_INTERVAL_SECONDS):
            if red_flags.run_due() and others.is_alive() and self.heartbeat_file:
                self.heartbeat_file.touch()
        aside.join()


def run_watchman(settings: Settings) -> None:
    """Keep watch in this process until SIGTERM or SIGINT."""
    configure_logs(settings)
    configure_traces(settings, "watchman")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sessions = create_sessions(create_engine(settings, pool_size=2))  # one connection for each scheduler
    write_metrics_to(settings.metrics_dir)
    start_heartbeats(settings, "watchman", active())
    with Sandbox(COMMAND) as sandbox:
        announce = create_announcer(settings).announce
        triager = Triager(sessions, active(), settings.holidays, sandbox, triage, announce, sandbox_only=True)
        StalledDeliverer(create_dispatcher(settings, announce, pool_size=2)).start(stop)
        record_numbers = RecordNumbers(sessions, identity_cipher(settings), settings.lookup_key)
        Watchman(triager, settings.heartbeat_file, record_numbers, create_sealer(settings, sessions)).run(stop)
