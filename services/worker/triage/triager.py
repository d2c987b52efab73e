"""Triages what waits in a lane: takes a batch, decides each form, stores the outcomes.

Called by the Celery task and by the watchman alike. A form is decided in this process the first time. One that raised
or took too long, or whose last attempt did not finish, is decided alone in a sandbox process that can be killed; if
that fails too, a person decides. The rest of its batch is stored first.

A batch is taken by locks, in one transaction that leaves no trace if it does not end. So the first batch of a process,
and any batch after one that failed, is leased instead, which counts the attempt before anything is decided.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from services.worker.triage.sandbox import Sandbox, SandboxError
from services.worker.triage.telemetry import count, intake_fields, outcome_fields, trace
from services.worker.triage.time_limit import time_limit
from shared.clinical.form import Form
from shared.clinical.protocol import Protocol
from shared.clinical.triage import Decision
from shared.platform.database import Sessions, autocommit
from shared.platform.metrics import TRIAGE_SECONDS
from shared.platform.task_queues import Lane, WakeUp, delivery_wake_up
from shared.store.event_log.events import DueDelivery
from shared.store.triage_outcome import outcome_of
from shared.store.triage_queue import TriageOutcome, WaitingIntake, lease_batch, lock_batch, release_lease, renew_lease
from shared.store.versions import Versions

log = structlog.get_logger(__name__)

IN_BATCH_SECONDS = 0.25  # a decision takes well under a millisecond
SANDBOX_SECONDS = 2.0
MAX_ATTEMPTS = 8  # a form whose processes keep being killed under it goes to a person


@dataclass(frozen=True, slots=True)
class Batch:
    """How many intakes of a lane are taken at once, and for how long they stay leased."""

    limit: int
    lease: timedelta


# Small and short for red flags: what a killed worker had leased must still be in its worklist within two seconds.
BATCHES: dict[Lane, Batch] = {
    "priority": Batch(10, timedelta(seconds=1)),
    "routine": Batch(100, timedelta(seconds=10)),
}


@dataclass(slots=True)
class Triager:
    """Triages batches of a lane. `decide` runs in this process, or with `sandbox_only` every form in the sandbox.

    `sandbox_only` is for processes whose main thread cannot be interrupted after `IN_BATCH_SECONDS`. `announce` must
    neither block nor raise. `last_batch_completed` is False until a batch ended without an interruption.
    """

    sessions: Sessions
    protocol: Protocol
    holidays: frozenset[date]
    sandbox: Sandbox
    decide: Callable[[Form, Protocol], Decision]
    announce: Callable[[WakeUp], None]
    sandbox_only: bool = False
    last_batch_completed: bool = field(default=False, init=False)

    def triage_waiting(self, lane: Lane) -> int:
        """Triage one batch of `lane` and return how many intakes it had; safe to run any number of times at once."""
        last_batch_completed, self.last_batch_completed = self.last_batch_completed, False
        found, left = self._locked_batch(lane) if last_batch_completed else (0, BATCHES[lane].limit)
        if left:
            found = max(found, self._leased_batch(lane, left))
        self.last_batch_completed = not self.sandbox_only  # the sandbox needs leases: it takes longer than a lock may
        return found

    def _locked_batch(self, lane: Lane) -> tuple[int, int]:
        """Triage a batch in one transaction; return how many intakes it had, and how many of them are left to lease.

        The first form that fails ends it, so that locks are short. A version of a form may lock nothing but its chain.
        """
        with self.sessions.begin() as session:
            locked = lock_batch(session, lane, limit=BATCHES[lane].limit)
            began = time.monotonic()
            forms = [intake for intake in locked if intake.first_version is None]
            records = takewhile(lambda record: record is not None, map(self._in_batch, forms))
            outcomes = [self._outcome(intake, record) for intake, record in zip(forms, records, strict=False)]
            due = self._versions().finish_forms(session, outcomes) if outcomes else []
        self._announce_and_log(outcomes, due)
        if outcomes:
            TRIAGE_SECONDS.labels(lane).observe(time.monotonic() - began)
        return len(locked), len(locked) - len(outcomes)

    def _leased_batch(self, lane: Lane, limit: int) -> int:
        """Triage a leased batch, in as many transactions as it takes; return how many intakes it had."""
        lease = BATCHES[lane].lease
        with autocommit(self.sessions) as session:
            leased = lease_batch(session, lane, limit=limit, lease=lease)
        began = time.monotonic()
        try:
            self._triage(leased, lease)
        except (
            SystemExit,
            SoftTimeLimitExceeded,
            DBAPIError,
        ):  # stopped, or disconnected: the next worker need not wait for the lease
            with suppress(SQLAlchemyError), self.sessions.begin() as session:
                release_lease(session, leased)
            raise
        if leased:
            TRIAGE_SECONDS.labels(lane).observe(time.monotonic() - began)
        return len(leased)

    def _triage(self, leased: list[WaitingIntake], lease: timedelta) -> None:
        decided = [(intake, self._in_batch(intake)) for intake in leased]
        self._store([self._outcome(intake, record) for intake, record in decided if record is not None])
        suspects = [intake for intake, record in decided if record is None]
        while suspects:
            with self.sessions.begin() as session:
                renew_lease(session, suspects, lease=lease + timedelta(seconds=SANDBOX_SECONDS))
            intake = suspects.pop(0)
            self._store_one(intake, self._in_sandbox(intake))

    def _in_batch(self, intake: WaitingIntake) -> dict[str, Any] | None:
        if self.sandbox_only or intake.attempts > 1:
            return None
        try:
            with time_limit(IN_BATCH_SECONDS):
                record: dict[str, Any] = self.decide(Form.of(intake.answers), self.protocol).record()
                return record
        except SoftTimeLimitExceeded:
            raise  # the task's time is up, by whatever it went: this form is not to blame
        except Exception as error:  # noqa: BLE001 - whatever a form raises, it must not hold up its batch
            log.warning("triage.sandboxed", **intake_fields(intake), error=type(error).__name__)
            return None

    def _in_sandbox(self, intake: WaitingIntake) -> dict[str, Any] | None:
        if intake.attempts > MAX_ATTEMPTS:
            return None
        try:
            answer = json.loads(self.sandbox.ask(json.dumps(intake.answers).encode(), seconds=SANDBOX_SECONDS))
        except SandboxError as error:
            answer = {"error": str(error)}
        if "error" in answer:
            log.error("triage.failed", **intake_fields(intake), error=answer["error"])
        decision: dict[str, Any] | None = answer.get("decision")
        return decision

    def _store(self, outcomes: list[TriageOutcome]) -> None:
        """Store forms that amend none together; then each version of an earlier form, which locks its chain."""
        versions = self._versions()
        forms = [outcome for outcome in outcomes if outcome.intake.first_version is None]
        if forms:
            with self.sessions.begin() as session:
                due = versions.finish_forms(session, forms)
            self._announce_and_log(forms, due)
        for outcome in outcomes:
            if outcome.intake.first_version is not None:
                with self.sessions.begin() as session:
                    placed, due = versions.finish_version(session, outcome)
                self._announce_and_log([placed], due)

    def _announce_and_log(self, stored: list[TriageOutcome], due: list[DueDelivery]) -> None:
        for delivery in due:
            self.announce(delivery_wake_up(delivery.id, delivery.queue))
        for outcome in stored:
            log.info("triage.stored", **outcome_fields(outcome))
            trace(outcome)
            count(outcome)

    def _versions(self) -> Versions:
        return Versions(self.protocol.targets, self.holidays)

    def _store_one(self, intake: WaitingIntake, record: dict[str, Any] | None) -> None:
        try:
            self._store([self._outcome(intake, record)])
        except (DataError, IntegrityError) as error:
            log.error("triage.failed", **intake_fields(intake), error=type(error).__name__)
            self._store([self._outcome(intake, None)])

    def _outcome(self, intake: WaitingIntake, record: dict[str, Any] | None) -> TriageOutcome:
        return outcome_of(intake, record, self.protocol.targets, self.holidays)
