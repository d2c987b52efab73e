"""Log fields, metrics and spans of the intakes that a worker triages."""

import time
from typing import Any

from shared.monitoring.triage_metrics import count_decision
from shared.platform.metrics import ROUTING_SECONDS
from shared.platform.tracing.traces import tracer
from shared.store.triage_outcome import rules
from shared.store.triage_queue import TriageOutcome, WaitingIntake


def intake_fields(intake: WaitingIntake) -> dict[str, Any]:
    """Return the fields of a log line about an intake: its ids, and those of the request that stored it."""
    return {
        "intake_id": str(intake.id),
        "lane": intake.lane,
        "attempts": intake.attempts,
        "request_id": intake.request_id,
        "traceparent": intake.traceparent,
    }


def outcome_fields(outcome: TriageOutcome) -> dict[str, Any]:
    """Return the fields of the log line about an intake that was triaged."""
    return {
        **intake_fields(outcome.intake),
        "queue": outcome.queue,
        "priority": outcome.priority,
        "rules": rules(outcome),
    }


def count(outcome: TriageOutcome) -> None:
    """Count an intake that was triaged, and the time since its receipt."""
    intake = outcome.intake
    ROUTING_SECONDS.labels(intake.lane).observe(intake.waited + time.monotonic() - intake.taken_at)
    count_decision(outcome)


def trace(outcome: TriageOutcome) -> None:
    """Record the span of an intake's triage, in the trace of the request that stored it."""
    intake = outcome.intake
    tracer().record(
        "triage",
        time.monotonic() - intake.taken_at,
        kind="CONSUMER",
        parent=intake.traceparent,
        attributes={
            "psoas.intake_id": str(intake.id),
            "psoas.referral_id": str(outcome.referral_id),
            "psoas.lane": intake.lane,
            "psoas.queue": outcome.queue,
            "psoas.priority": outcome.priority,
            "psoas.waited_seconds": intake.waited,
        },
    )
