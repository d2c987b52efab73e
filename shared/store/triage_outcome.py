"""What triage makes of an intake: from the decision, or from its failure, to the referral that is to be stored."""

from collections.abc import Collection
from datetime import date
from typing import Any

from shared.clinical.referral.lifecycle import acknowledge_by, next_escalation
from shared.clinical.referral.targets import Targets, contact_by, imaging_due
from shared.platform.task_queues import Lane
from shared.store.contact.imaging_due import written_due
from shared.store.triage_queue import TriageOutcome, WaitingIntake

_FAILED = {"pattern": "triage_failed", "headline": "Triage failed: a clinician has to read this form", "red_flags": []}
FAILED: dict[Lane, dict[str, Any]] = {
    "priority": {"queue": "urgent", "priority": "urgent", **_FAILED},
    "routine": {"queue": "clinical_review", "priority": "prompt", **_FAILED},
}


def outcome_of(
    intake: WaitingIntake, record: dict[str, Any] | None, targets: Targets, holidays: Collection[date]
) -> TriageOutcome:
    """Return the referral that `intake` becomes by the record of its decision, None where triage failed."""
    shown = FAILED[intake.lane] if record is None else record
    rung = next_escalation(shown["priority"], intake.received_at, targets)
    return TriageOutcome(
        intake=intake,
        record=record,
        queue=shown["queue"],
        priority=shown["priority"],
        pattern=shown["pattern"],
        headline=shown["headline"],
        red_flags=shown["red_flags"],
        acknowledge_by=acknowledge_by(shown["priority"], intake.received_at, targets, holidays=holidays),
        clock_started_at=intake.received_at,
        escalate_at=rung.due if rung else None,
        contact_by=contact_by(record, intake.received_at),
        ambulance=bool(record and record.get("ambulance")),
        imaging_due=written_due(imaging_due(record, intake.received_at, targets)),
    )


def rules(outcome: TriageOutcome) -> list[str]:
    """Return the ids of the rules that were reasons, or the pattern that says that triage failed."""
    return [reason["rule"] for reason in outcome.record["reasons"]] if outcome.record else [outcome.pattern]
