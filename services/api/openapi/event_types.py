"""Registers the types of events, and describes the webhooks that tell of them."""

from dataclasses import dataclass
from typing import Any

from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.store.event_log.events import FORM_READ, HIDDEN_FROM_SENDERS

ID = "0b6ff1d2-5a3c-4f0e-8d4b-1f1d7c1a9e01"
AT = "2026-01-02T09:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event."""

    name: str
    meaning: str

    @property
    def goes_out(self) -> bool:
        """Say whether webhooks tell of it."""
        return self.name.startswith("referral.") and self.name != FORM_READ

    @property
    def audience(self) -> str:
        """Return in words which destinations hear of it."""
        if not self.goes_out:
            return "In the feed alone, by no webhook."
        return (
            "To destinations of queues alone."
            if self.name in HIDDEN_FROM_SENDERS
            else "To destinations of queues and of the facility."
        )


EVENT_TYPES = (
    EventType("referral.queued", "A form was triaged, and its referral is in a queue."),
    EventType("referral.escalated", "Nobody acknowledged the referral in time; `escalation_level` says which step."),
    EventType("referral.acknowledged", "A person has taken the referral on."),
    EventType("referral.taken_over", "A person has taken the referral over from another."),
    EventType("referral.released", "The referral is queued again; its clock runs on."),
    EventType("referral.rerouted", "The referral is in another queue."),
    EventType("referral.contacted", "A call to the patient or referrer ended, or was tried."),
    EventType("referral.contact_overdue", "`contact_by` passed and nobody had spoken to the patient or referrer."),
    EventType("referral.answered", "More questions of the form were answered; a new version was triaged."),
    EventType("referral.downgrade_confirmed", "A person confirmed that the referral ranks lower."),
    EventType("referral.identity_corrected", "The identity of the patient was corrected."),
    EventType("referral.completed", "The referral has ended, with an outcome."),
    EventType("referral.returned", "The referral went back to the referrer, with advice."),
    EventType("referral.superseded", "A newer version of the form has a referral of its own."),
    EventType(FORM_READ, "A person read what was sent."),
    EventType("delivery.parked", "A delivery was given up until a person retries it."),
    EventType("delivery.discarded", "A parked delivery was discarded by a person."),
)


def webhook_payload() -> dict[str, Any]:
    """Return the schema of what every webhook sends."""
    text, nullable = {"type": "string"}, {"type": ["string", "null"]}
    members: dict[str, Any] = {
        "referral_id": {"type": "string", "format": "uuid"},
        "reference": text,
        "intake_id": {"type": "string", "format": "uuid"},
        "queue": {"type": "string", "enum": list(QUEUES)},
        "priority": {"type": "string", "enum": list(PRIORITIES)},
        "status": {"type": "string", "enum": list(STATUSES)},
        "escalation_level": {"type": "integer"},
        "red_flags": {"type": "array", "items": text},
        "ambulance": {"type": ["boolean", "null"]},
        "contact_by": nullable | {"format": "date-time"},
        "link": text | {"description": "Where the referral is read."},
    }
    return {
        "type": "object",
        "description": "What a webhook says: ids, place and red flags, and no identity.",
        "properties": {
            "type": {"$ref": "#/components/schemas/EventType"},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object", "properties": members, "required": list(members)},
        },
        "required": ["type", "timestamp", "data"],
    }


def webhooks() -> dict[str, Any]:
    """Return the webhooks by type of event."""
    return {each.name: {"post": _webhook(each)} for each in EVENT_TYPES if each.goes_out}


def payload_example(name: str) -> dict[str, Any]:
    """Return what a webhook sends of an event of this type."""
    return {
        "type": name,
        "timestamp": AT,
        "data": {
            "referral_id": ID,
            "reference": "R-7K3M-9Q4M",
            "intake_id": ID.replace("01", "02"),
            "queue": "urgent",
            "priority": "emergency",
            "status": "queued",
            "escalation_level": 0,
            "red_flags": ["RF_BLADDER_BOWEL"],
            "ambulance": False,
            "contact_by": AT,
            "link": f"/v1/referrals/{ID}",
        },
    }


def _webhook(event: EventType) -> dict[str, Any]:
    words = event.name.removeprefix("referral.").replace("_", " ")
    header: dict[str, Any] = {"in": "header", "required": True, "schema": {"type": "string"}}
    content = {"schema": {"$ref": "#/components/schemas/WebhookPayload"}, "example": payload_example(event.name)}
    return {
        "operationId": f"on_{event.name.replace('.', '_')}",
        "summary": f"Webhook: {words}",
        "description": f"{event.meaning} {event.audience} Signed as Standard Webhooks say; the same id may come twice.",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            header | {"name": "webhook-id", "description": "The id of the delivery, the same in every attempt."},
            header | {"name": "webhook-timestamp", "description": "Seconds since 1970, of this attempt."},
            header | {"name": "webhook-signature", "description": "`v1,` and the HMAC-SHA256 in base64."},
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "204": {"description": "Taken. Any 2xx is."},
            "410": {"description": "Gone: nothing more is sent until a delivery is retried."},
        },
    }
