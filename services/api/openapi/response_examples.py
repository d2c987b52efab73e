"""Examples of answers for the OpenAPI document, by the name of their schema; the decision is that of a worked case."""

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from services.api.openapi.event_types import ID
from services.api.openapi.examples import SUBMITTED_AT, YEAR, example_form
from services.api.schemas import serializers
from shared.clinical.form import read
from shared.clinical.triage import triage
from shared.protocols import active

INTAKE, EARLIER, DELIVERY = (ID[:-2] + end for end in ("02", "03", "04"))
REFERENCE, FACILITY, PERSON = "R-7K3M-9Q4M", "st-marys", "Dr A. Okafor"
AT = SUBMITTED_AT
LINKS = {"self": f"/v1/intakes/{INTAKE}"}


@cache
def answer_examples() -> dict[str, Any]:
    """Return one example for each schema of an answer."""
    referral, event = _referral(), _event()
    received, intake, delivery = _received(), _intake(), _delivery()
    return {
        "Received": received,
        "Intake": intake,
        "Intakes": {"intakes": [intake], "next": None},
        "LineOutcome": {"line": 1, "status": 202, "intake": received},
        "Preview": {"decision": _decision(), "notes": []},
        "Queues": {"queues": [_queue()]},
        "Referral": referral,
        "Worklist": {"referrals": [referral], "next": None},
        "Timeline": {"events": [event], "next": None},
        "Feed": {"events": [event], "next": event["id"]},
        "IdentityHistory": {"corrections": [_correction()], "next": None},
        "AskNext": {"ask_next": [_suggestion()]},
        "SentForm": _sent_form(),
        "Delivery": delivery,
        "Deliveries": {"deliveries": [delivery], "next": None},
        "AccessRecords": {"records": [_access()], "next": None},
        "Live": {"status": "live"},
        "Ready": {"status": "ready", "degraded": []},
    }


def outcomes_example() -> dict[str, Any]:
    """Return what a batch in JSON is answered."""
    return {"outcomes": [{"line": 1, "status": 202, "intake": _received(), "idempotency_key": "demo-V01"}]}


@cache
def _decision() -> dict[str, Any]:
    form = read(example_form(), active(), today=date(YEAR, 1, 2))
    record: dict[str, Any] = triage(form, active()).record()
    return {**(serializers.decision(record, datetime(YEAR, 1, 2, 9, tzinfo=UTC)) or {}), "decided_at": AT}


def _received() -> dict[str, Any]:
    lane = {"lane": "priority", "received_at": AT, "notes": []}
    return {"id": INTAKE, "external_id": None, "status": "received", **lane, "links": LINKS}


def _intake() -> dict[str, Any]:
    of_intake = {
        "id": ID,
        "reference": REFERENCE,
        "queue": _decision()["queue"],
        "status": "queued",
        "returned": None,
        "completed": None,
        "links": {"self": f"/v1/referrals/{ID}"},
    }
    stored = {name: value for name, value in _received().items() if name != "links"}
    return {
        **stored,
        "status": "triaged",
        "amends": None,
        "facility": FACILITY,
        "triaged_at": AT,
        "decision": _decision(),
        "referral": of_intake,
    }


def _referral() -> dict[str, Any]:
    decision, path = _decision(), f"/v1/referrals/{ID}"
    copied = ("queue", "priority", "pattern", "headline", "red_flags")
    return {
        "id": ID,
        "reference": REFERENCE,
        "intake_id": INTAKE,
        "facility": FACILITY,
        "status": "queued",
        **{name: decision[name] for name in copied},
        "imaging": [{**study, "due_by": None} for study in decision["imaging"]],
        "patient": {"mrn": "DEMO-V01", "name": None, "birth_date": f"{YEAR - 45}-01-01", "sex_at_birth": "female"},
        "identity_unreadable": False,
        "created_at": AT,
        "acknowledge_by": AT,
        "overdue": False,
        "contact_by": AT,
        "contacted": None,
        "contact_overdue": False,
        "escalation_level": 0,
        "downgrade_proposed": False,
        "acknowledged": None,
        "returned": None,
        "completed": None,
        "decision": decision,
        "duplicates": [],
        "links": {
            "self": path,
            "intake": LINKS["self"],
            "events": f"{path}/events",
            "supersedes": None,
            "superseded_by": None,
        },
    }


def _event() -> dict[str, Any]:
    names = {"referral_id": ID, "reference": REFERENCE, "intake_id": INTAKE}
    return {"id": 7, "type": "referral.acknowledged", "at": AT, **names, "by": PERSON, "data": {}}


def _queue() -> dict[str, Any]:
    by_priority = {"emergency": 1, "urgent": 2, "prompt": 0, "routine": 0}
    counts = {"open": 3, "unacknowledged": 2, "overdue": 1, "oldest_age_seconds": 41.5}
    return {"name": "urgent", "label": "Urgent", **counts, "by_priority": by_priority}


def _correction() -> dict[str, Any]:
    before = {"mrn": "DEMO-V01", "birth_date": f"{YEAR - 45}-01-01", "family_name": None, "given_name": None}
    return {
        "id": EARLIER,
        "at": AT,
        "by": PERSON,
        "reason": "The number belonged to another patient.",
        "fields": ["mrn"],
        "before": before,
        "after": before | {"mrn": "DEMO-V02"},
        "identity_unreadable": False,
    }


def _suggestion() -> dict[str, Any]:
    places = {"present": {"queue": "urgent", "priority": "emergency"}}
    return {"field": "symptoms.fever", "label": "Fever", "answers": places}


def _sent_form() -> dict[str, Any]:
    contact = dict.fromkeys(("callback_phone", "referrer_contact", "interpreter_language", "source", "completed_by"))
    answered = {"field": "symptoms.onset", "label": "Onset", "answer": "sudden", "text": "Suddenly"}
    return {"contact": contact, "free_text": None, "answers": [answered], "identity_unreadable": False}


def _delivery() -> dict[str, Any]:
    destination = {"id": EARLIER, "queue": "urgent", "url": "https://hospital.example/hooks", "status": "active"}
    attempt = {"at": AT, "duration_ms": 120, "http_status": 500, "error": "status"}
    return {
        "id": DELIVERY,
        "destination": destination,
        "referral_id": ID,
        "event": "referral.queued",
        "status": "parked",
        "attempts": [attempt],
        "due_at": AT,
        "created_at": AT,
        "error": "status",
        "links": {"referral": f"/v1/referrals/{ID}", "retry": f"/v1/deliveries/{DELIVERY}/retry"},
    }


def _access() -> dict[str, Any]:
    return {
        "number": 1,
        "at": AT,
        "person": PERSON,
        "key_id": "0f3a",
        "role": "operator",
        "facility": None,
        "address": "192.0.2.7",
        "request_id": "7c2a4a39e9f04d0f8a8f5e0b6f1f2d11",
        "method": "GET",
        "route": "/v1/referrals/<uuid:referral_id>",
        "status": 200,
        "referral_id": ID,
        "intake_id": INTAKE,
        "patients": ["00" * 32],
    }
