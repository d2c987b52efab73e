"""Headers, parameters and the form's body, as the OpenAPI document describes them."""

from services.api.openapi.examples import batch_lines, form_examples
from shared.clinical.referral.lifecycle import QUEUES

_FORM = {"schema": {"$ref": "#/components/schemas/Form"}, "examples": form_examples()}
FORM = {"content": {"application/json": _FORM}, "required": True}
NDJSON = "application/x-ndjson"
_KEY = {"type": "string", "minLength": 1, "maxLength": 255}
LINE = {
    "description": "It needs a name: an `idempotency_key`, an `encounter.external_id` in its form, or both.",
    "type": "object",
    "properties": {
        "idempotency_key": {
            "description": "As the header Idempotency-Key of a single post; the same key is the same intake there.",
            "anyOf": [_KEY, {"type": "null"}],
        },
        "form": {"$ref": "#/components/schemas/Form"},
    },
    "required": ["form"],
    "additionalProperties": False,
}
BATCH = {
    "description": "JSON, a line each, ended by line feeds: at most 1,000 lines of 64 KiB, 8 MiB in all.",
    "content": {
        # The schema and the example are those of one line.
        NDJSON: {"schema": {"$ref": "#/components/schemas/BatchLine"}, "example": batch_lines()[0]},
        "application/json": {
            "example": {"forms": batch_lines()},
            "schema": {
                "type": "object",
                "properties": {
                    "forms": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1000,
                        "items": {"$ref": "#/components/schemas/BatchLine"},
                    }
                },
                "required": ["forms"],
                "additionalProperties": False,
            },
        },
    },
    "required": True,
}
OUTCOMES = {
    "type": "object",
    "properties": {
        "outcomes": {
            "type": "array",
            "items": {
                "allOf": [
                    {"$ref": "#/components/schemas/LineOutcome"},
                    {
                        "type": "object",
                        "properties": {"idempotency_key": {"anyOf": [_KEY, {"type": "null"}]}},
                        "required": ["idempotency_key"],
                    },
                ]
            },
        }
    },
    "required": ["outcomes"],
}
BATCH_ANSWER = "What came of each line, a line each, in their order. All that were taken are stored."
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 255 visible characters. The same key with the same body leads to the same intake for 7 days.",
    "schema": _KEY,
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=<seconds>`: answer after triage, or when the time is up; at most 30 seconds (RFC 7240).",
    "schema": {"type": "string"},
    "example": "wait=5",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the referral as it was read; 412 if it has changed since.",
    "schema": {"type": "string"},
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event that a stream gave; it goes on after that one. Wins over `after`.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}
QUEUE = {"name": "queue", "in": "path", "schema": {"type": "string", "enum": list(QUEUES)}}
_TEXT = {"type": "string"}
OLD_ANSWER_HEADERS = {
    "Deprecation": {"description": "Where the form has an answer of an earlier version (RFC 9745).", "schema": _TEXT},
    "Sunset": {"description": "Until when such an answer is taken (RFC 8594).", "schema": _TEXT},
}
POSTED_HEADERS = {
    "Location": {"description": "Where the intake is read.", "schema": _TEXT},
    "Idempotency-Replayed": {"description": "`true` if the intake was stored earlier.", "schema": _TEXT},
    "Preference-Applied": {"description": "The wait that was applied.", "schema": _TEXT},
    **OLD_ANSWER_HEADERS,
}
REFERRAL_HEADERS = {"ETag": {"description": "Strong; for If-Match.", "schema": _TEXT}}
