"""Describes the form as a JSON Schema (2020-12), with titles, help and codes for programs that show it."""

from typing import Any

from shared.clinical.fields import NOT_ASKED, Field, FormDefinition, Section
from shared.clinical.protocol import Protocol

# Without control characters, line separators and marks of direction; "something" looks ahead for a visible character.
CHARACTERS = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
SOMETHING = "^(?=.*[^\\s\\u00ad\\u200b-\\u200f\\u2060-\\u2064\\ufeff])"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
AMENDS = {
    "title": "The form of which this is a new version",
    "description": (
        "The id of an intake of the same facility. The new form is triaged afresh; its referral supersedes the earlier "
        "one if that is open, and never ranks lower without a person."
    ),
    "anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}],
}


def form_document(protocol: Protocol) -> dict[str, Any]:
    """Return the schema of a whole form."""
    form = protocol.form
    return {
        "$schema": DIALECT,
        "title": protocol.title,
        "description": protocol.purpose,
        "type": "object",
        "properties": {section.name: _section(section) for section in form.sections},
        "required": _sections_with_required(form),
        "additionalProperties": False,
        "x-protocol": protocol.identity,
    }


def posted_form_document(protocol: Protocol) -> dict[str, Any]:
    """Return the schema of a form as it is posted: it may say of which earlier form it is a new version."""
    form = form_document(protocol)
    return form | {"properties": {"amends": AMENDS, **form["properties"]}}


def _section(section: Section) -> dict[str, Any]:
    required = [asked.name for asked in section.fields if asked.required]
    described = {
        "title": section.title,
        "type": "object" if required else ["object", "null"],
        "properties": {asked.name: _field(asked) for asked in section.fields},
        "additionalProperties": False,
    }
    return described | ({"required": required} if required else {})


def _field(asked: Field) -> dict[str, Any]:
    described = {"title": asked.label, "description": asked.help, **_accepted(asked)}
    extras = {
        "x-tier": asked.tier,
        "x-unit": asked.unit,
        "x-asked-when": asked.asked_when,
        "x-answers": dict(asked.values),
        "x-codes": {system: list(codes) for system, codes in asked.codes.items()},
    }
    return described | {name: extra for name, extra in extras.items() if extra}


def _accepted(asked: Field) -> dict[str, Any]:
    answer = _answer(asked)
    if asked.required:
        return answer | {"not": {"const": NOT_ASKED}}
    if asked.values:
        return {"enum": [*answer["enum"], None]}
    return {"anyOf": [answer, {"enum": [NOT_ASKED, None]}]}


def _answer(asked: Field) -> dict[str, Any]:
    if asked.values:
        return {"enum": list(asked.accepts)}
    match asked.type:
        case "number":
            return {"type": "number", "minimum": asked.minimum, "maximum": asked.maximum}
        case "boolean":
            return {"type": "boolean"}
        case "date":
            return {"type": "string", "format": "date"}
        case "moment":
            return {"type": "string", "format": "date-time"}
    limits = {"minLength": asked.min_length, "maxLength": asked.max_length, "pattern": _pattern(asked)}
    return {"type": "string"} | {name: limit for name, limit in limits.items() if limit is not None}


def _pattern(asked: Field) -> str | None:
    if asked.pattern:
        return f"^(?:{asked.pattern})?$"
    if asked.multiline:
        return None
    return SOMETHING + CHARACTERS[1:] if asked.min_length else CHARACTERS


def _sections_with_required(form: FormDefinition) -> list[str]:
    return list(dict.fromkeys(asked.section for asked in form.fields.values() if asked.required))
