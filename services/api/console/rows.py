"""A referral as a line of a worklist: what a reader needs to choose the next case, and no identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.console import words
from services.api.console.words import TAGS, PriorityTag
from services.api.referrals.worklists import LABELS
from shared.clinical.protocol import Protocol
from shared.clinical.referral.lifecycle import OPEN_STATUSES, PRIORITIES
from shared.protocols import version as protocol_version
from shared.store.referrals import StoredReferral


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `rule` is the id of the rule that gave the headline, None where triage failed."""

    id: UUID
    reference: str
    version: int
    queue: str
    queue_label: str
    facility: str
    tag: PriorityTag
    status: str
    status_word: str
    due_at: datetime
    due: str
    due_state: str
    patient: str
    headline: str
    rule: str | None
    failed: bool
    imaging: str
    owner: str | None
    since: datetime | None
    escalation_level: int
    contact_by: datetime | None  # by when a clinician speaks to the patient; None where nobody has to, or somebody did
    contact: str
    contact_overdue: bool
    contacted: str | None  # how the call ended, and through whom

    @property
    def waits(self) -> bool:
        """Whether nobody has acknowledged it."""
        return self.status == "queued"


def rows(found: Sequence[StoredReferral], now: datetime) -> list[Row]:
    """Return the lines of a worklist, in its order."""
    return [row(each, now) for each in found]


def row(stored: StoredReferral, now: datetime) -> Row:
    """Return the line of one referral."""
    record = stored.record or {}
    waits_for_call = stored.contact_by if stored.contacted_at is None and stored.status in OPEN_STATUSES else None
    return Row(
        id=stored.id,
        reference=stored.reference,
        version=stored.version,
        queue=stored.queue,
        queue_label=LABELS[stored.queue],
        facility=stored.facility,
        tag=TAGS[PRIORITIES[stored.priority]],
        status=stored.status,
        status_word=words.STATUS_WORDS[stored.status],
        due_at=stored.acknowledge_by,
        due=words.due_in(stored.acknowledge_by, now),
        due_state=words.due_state(stored.acknowledge_by, now),
        patient=words.age_band(stored.age_years, stored.sex_at_birth),
        headline=stored.headline,
        rule=headline_rule(stored),
        failed=stored.record is None,
        imaging=words.imaging_line(record.get("imaging", []), record.get("imaging_status")),
        owner=stored.acknowledged_by,
        since=stored.acknowledged_at,
        escalation_level=stored.escalation_level,
        contact_by=waits_for_call,
        contact=words.call_in(waits_for_call, now) if waits_for_call else "",
        contact_overdue=bool(waits_for_call and waits_for_call < now),
        contacted=_contacted(stored),
    )


def _contacted(stored: StoredReferral) -> str | None:
    if stored.contacted_by is None or stored.contacted_outcome is None:
        return None
    return f"{words.CONTACT_WORDS[stored.contacted_outcome]}, {stored.contacted_by}"


def headline_rule(stored: StoredReferral) -> str | None:
    """Return the id of the rule or route whose headline the referral carries."""
    if stored.record is None:
        return None
    protocol = protocol_version(stored.record["protocol"]["version"])
    fired = [reason["rule"] for reason in stored.record["reasons"]]
    if protocol is None:
        return fired[0] if fired else None
    return next((rule for rule in fired if headline_of(protocol, rule) == stored.headline), fired[0] if fired else None)


def headline_of(protocol: Protocol, rule_id: str) -> str | None:
    """Return the headline of a rule, route or floor of a protocol."""
    if rule_id in protocol.rules:
        return protocol.rules[rule_id].headline
    others = (*protocol.routes, *protocol.floors)
    return next((each.headline for each in others if each.id == rule_id), None)
