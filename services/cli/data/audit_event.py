"""A record of the access log as FHIR R4 AuditEvent, in the shape of IHE Basic Audit Log Patterns (BALP)."""

import base64
from collections.abc import Iterator
from typing import Any

from shared.store.access.access_search import StoredAccess

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
TRANSACTION = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
PATIENT_SYSTEM, KEY_SYSTEM = "urn:psoas:patient-hash", "urn:psoas:key"
SERVER = "psoas"
# In BALP the client of a query sends its parameters, and the client of a read receives the resource.
SOURCE, DESTINATION = ("110153", "Source Role ID"), ("110152", "Destination Role ID")


def audit_events(record: StoredAccess) -> Iterator[dict[str, Any]]:
    """Yield an AuditEvent for each patient whom the record names, or one where it names none."""
    hashes = [bytes(each).hex() for each in record.patients]
    for place, patient in enumerate(hashes or [None]):
        yield _event(record, f"{record.number}-{place + 1}", patient)


def _event(record: StoredAccess, event_id: str, patient: str | None) -> dict[str, Any]:
    is_read = record.referral_id is not None or record.intake_id is not None
    kind, action, interaction = ("Read", "R", "read") if is_read else ("Query", "E", "search")
    profile = PROFILE + ("Patient" if patient else "") + kind
    succeeded = record.status < 400
    return {
        "resourceType": "AuditEvent",
        "id": event_id,
        **({"meta": {"profile": [profile]}} if succeeded else {}),  # BALP has patterns for success alone
        "type": {"system": TERMINOLOGY + "audit-event-type", "code": "rest", "display": "Restful Operation"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": interaction, "display": interaction}],
        "action": action,
        "recorded": record.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": "0" if succeeded else "4",
        **({} if succeeded else {"outcomeDesc": f"HTTP {record.status}"}),
        "agent": list(_agents(record, is_read=is_read)),
        "source": {
            "observer": {"display": SERVER},
            "type": [{"system": TERMINOLOGY + "security-source-type", "code": "4", "display": "Application Server"}],
        },
        "entity": list(_entities(record, patient, is_read=is_read)),
    }


def _agents(record: StoredAccess, *, is_read: bool) -> Iterator[dict[str, Any]]:
    client, server = (DESTINATION, SOURCE) if is_read else (SOURCE, DESTINATION)
    yield {
        "type": _concept(DICOM, *client),
        "who": {"identifier": {"system": KEY_SYSTEM, "value": record.key_id}},
        "requestor": record.person is None,
        "network": {"address": record.address or "unknown", "type": "2"},
    }
    yield {
        "type": _concept(DICOM, *server),
        "who": {"display": SERVER},
        "requestor": False,
        "network": {"address": SERVER, "type": "1"},
    }
    if record.person is not None:
        yield {
            "type": _concept(TERMINOLOGY + "v3-ParticipationType", "IRCP", "information recipient"),
            "role": [{"text": record.role}],
            "who": {"display": record.person},
            "name": record.person,
            "requestor": True,
        }


def _entities(record: StoredAccess, patient: str | None, *, is_read: bool) -> Iterator[dict[str, Any]]:
    yield {
        "what": {"identifier": {"value": record.request_id}},
        "type": {"system": TRANSACTION, "code": "XrequestId"},
    }
    asked = f"{record.method} {record.route}"
    system_object = {"system": TERMINOLOGY + "audit-entity-type", "code": "2", "display": "System Object"}
    if is_read:
        named = (
            f"ServiceRequest/{record.referral_id}"
            if record.referral_id
            else f"QuestionnaireResponse/{record.intake_id}"
        )
        yield {
            "what": {"reference": named},
            "type": system_object,
            "role": {"system": TERMINOLOGY + "object-role", "code": "4", "display": "Domain Resource"},
            "description": asked,
        }
    else:
        yield {
            "type": system_object,
            "role": {"system": TERMINOLOGY + "object-role", "code": "24", "display": "Query"},
            "description": asked,
            "query": base64.b64encode(asked.encode()).decode(),
        }
    if patient is not None:
        yield {
            "what": {"type": "Patient", "identifier": {"system": PATIENT_SYSTEM, "value": patient}},
            "type": {"system": TERMINOLOGY + "audit-entity-type", "code": "1", "display": "Person"},
            "role": {"system": TERMINOLOGY + "object-role", "code": "1", "display": "Patient"},
        }


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}
