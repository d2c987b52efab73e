"""Serialises rows of intakes and referrals as the contract shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.api.schemas.patients import identity_of
from shared.clinical.presentation.notes import stored_notes
from shared.clinical.presentation.wording import worded
from shared.clinical.referral.lifecycle import PRIORITIES
from shared.platform.crypto import IdentityCipher
from shared.protocols import active, version
from shared.store.event_log import texts
from shared.store.event_log.feed import StoredEvent
from shared.store.intakes import Receipt, StoredIntake
from shared.store.names.external_ids import opened_external_id
from shared.store.referrals import StoredReferral
from shared.store.related import Duplicate, Ended

# The database keeps no order of keys; a person reads the answer from the top.
DECISION = (
    *("queue", "priority", "red_flags", "pattern", "headline", "suspected", "send_to", "imaging_status", "imaging"),
    *("cautions", "incomplete", "evidence", "mentioned", "ambulance", "contact_minutes", "teams", "evidence_lines"),
    *("reasons", "undetermined", "protocol"),
)
WORDS = frozenset(texts.WORDS)  # what people write freely in an event
HIDDEN_FROM_SENDERS = frozenset({"note", "key", "key_id", "address"})  # of an event: meant for the department alone


def received(stored: Receipt | StoredIntake, cipher: IdentityCipher) -> dict[str, Any]:
    """Return an intake as its sender first sees it."""
    return {
        "id": stored.id,
        "external_id": _external_id(stored, cipher),
        "status": stored.status,
        "lane": stored.lane,
        "received_at": stored.received_at,
        "notes": stored_notes(stored.answers, active()),
        "links": {"self": intake_path(stored.id)},
    }


def intake(stored: StoredIntake, cipher: IdentityCipher) -> dict[str, Any]:
    """Return an intake with its decision and referral, both null until it is triaged."""
    return {
        "id": stored.id,
        "external_id": _external_id(stored, cipher),
        "amends": stored.amends,
        "facility": stored.facility,
        "status": stored.status,
        "lane": stored.lane,
        "received_at": stored.received_at,
        "triaged_at": stored.triaged_at,
        "notes": stored_notes(stored.answers, active()),
        "decision": decision(stored.record, stored.decided_at),
        "referral": _referral_of(stored, cipher),
    }


def referral(stored: StoredReferral, cipher: IdentityCipher, *, with_patient: bool = True) -> dict[str, Any]:
    """Return a referral; its patient is null for readers who may not know whose it is."""
    decided = decision(stored.record, stored.decided_at)
    patient = _patient(stored, cipher) if with_patient else None
    return {
        "id": stored.id,
        "reference": stored.reference,
        "intake_id": stored.intake_id,
        "facility": stored.facility,
        "queue": stored.queue,
        "priority": PRIORITIES[stored.priority],
        "status": stored.status,
        "pattern": stored.pattern,
        "headline": stored.headline,
        "red_flags": stored.red_flags,
        "imaging": _imaging(stored, decided),
        "patient": patient,
        "identity_unreadable": with_patient and patient is None,
        "created_at": stored.created_at,
        "acknowledge_by": stored.acknowledge_by,
        "overdue": stored.overdue,
        "contact_by": stored.contact_by,
        **({} if stored.ambulance is None else {"ambulance": stored.ambulance}),
        "contacted": stored.contacted_by
        and {"by": stored.contacted_by, "at": stored.contacted_at, "outcome": stored.contacted_outcome},
        "contact_overdue": stored.contact_overdue,
        "escalation_level": stored.escalation_level,
        "downgrade_proposed": stored.downgrade_proposed,
        "acknowledged": stored.acknowledged_by and {"by": stored.acknowledged_by, "at": stored.acknowledged_at},
        **_endings(stored.status, stored.ended, cipher),
        "decision": decided,
        "duplicates": [_duplicate(each) for each in stored.duplicates],
        "links": {
            "self": referral_path(stored.id),
            "intake": intake_path(stored.intake_id),
            "events": f"{referral_path(stored.id)}/events",
            "supersedes": stored.supersedes and referral_path(stored.supersedes),
            "superseded_by": stored.superseded_by and referral_path(stored.superseded_by),
        },
    }


def event(
    stored: StoredEvent, cipher: IdentityCipher, *, without: frozenset[str] = frozenset(), with_actor: bool = False
) -> dict[str, Any]:
    """Return an event; `without` names members of its data that its reader may not see.

    Through which key and from where it was done is for readers who examine that.
    """
    happened = stored.opened(cipher)
    # How a call ended is one of four words, nothing that a person wrote.
    hidden = without - {"outcome"} if happened.type == "referral.contacted" else without
    data = {key: said for key, said in happened.data.items() if key not in hidden} if hidden else happened.data
    return {
        "id": happened.number,
        "type": happened.type,
        "at": happened.at,
        "referral_id": happened.referral_id,
        "reference": happened.reference,
        "intake_id": happened.intake_id,
        "by": happened.by,
        "data": data,
        **({"actor": happened.actor} if with_actor else {}),
    }


def decision(record: Mapping[str, Any] | None, decided_at: datetime | None) -> dict[str, Any] | None:
    """Return a decision as it was stored, in the contract's order; None where triage failed or has not ended."""
    if record is None:
        return None
    record = _in_words(record)
    return {name: record[name] for name in DECISION if name in record} | {**record, "decided_at": decided_at}


def _in_words(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a decision with the words of the form of its own version; one of before 2026.2.0 stays as it was."""
    protocol = version(record["protocol"]["version"]) if "contact_minutes" in record else None
    return worded(record, protocol) if protocol else record


def intake_path(intake_id: UUID) -> str:
    """Return where an intake is read."""
    return f"/v1/intakes/{intake_id}"


def referral_path(referral_id: UUID) -> str:
    """Return where a referral is read."""
    return f"/v1/referrals/{referral_id}"


def _patient(stored: StoredReferral, cipher: IdentityCipher) -> dict[str, Any] | None:
    identity = identity_of(cipher, stored.identity, stored.intake_id)
    if identity is None:
        return None
    names = (identity.get("given_name"), identity.get("family_name"))
    return {
        "mrn": identity["mrn"],
        "name": " ".join(name for name in names if name) or None,
        "birth_date": identity["birth_date"],
        "sex_at_birth": stored.sex_at_birth,
    }


def _external_id(stored: Receipt | StoredIntake, cipher: IdentityCipher) -> str | None:
    """Return the sender's own id; None where there is none, where it was erased and where it cannot be read."""
    if stored.external_id is not None or stored.external_id_sealed is None:
        return stored.external_id
    return opened_external_id(cipher, stored.external_id_sealed, stored.id)


def _endings(status: str | None, ended: Ended | None, cipher: IdentityCipher) -> dict[str, Any]:
    """Return with which words a referral was returned or completed, both null while it was not."""
    endings: dict[str, Any] = {"returned": None, "completed": None}
    if ended and status in endings:
        member = "reason" if status == "returned" else "outcome"
        endings[status] = {"by": ended.by, "at": ended.at, member: ended.words(cipher)}
    return endings


def _imaging(stored: StoredReferral, decided: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the studies of a decision with when each is due; of what release 0.1.0 decided as they stand there."""
    studies: list[dict[str, Any]] = decided["imaging"] if decided else []
    due = stored.imaging_due
    return studies if due is None else [{**each, "due_by": due.get(each["study"])} for each in studies]


def _duplicate(duplicate: Duplicate) -> dict[str, Any]:
    return {
        "id": duplicate.id,
        "queue": duplicate.queue,
        "status": duplicate.status,
        "created_at": duplicate.created_at,
        "links": {"self": referral_path(duplicate.id)},
    }


def _referral_of(stored: StoredIntake, cipher: IdentityCipher) -> dict[str, Any] | None:
    if stored.referral_id is None:
        return None
    return {
        "id": stored.referral_id,
        "reference": stored.reference,
        "queue": stored.referral_queue,
        "status": stored.referral_status,
        **_endings(stored.referral_status, stored.ended, cipher),
        "links": {"self": referral_path(stored.referral_id)},
    }
