"""The files `form/*.yaml`: one section of the form each."""

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from shared.clinical.fields import Field, FormDefinition, Keep, Kind, Section, Type
from shared.protocols.documents import Document
from shared.protocols.schemas import FILLED, Codes, Flag, Number, Text, choice, named

SECTIONS = ("encounter", "patient", "symptoms", "history", "imaging_safety", "examination", "observations")

# The answers of the types that every form shares (part 2.0), in plain words; a finding is not asked but found.
_ASKED = {"present": "Yes", "absent": "No", "unknown": "Not known"}
_FOUND = {"present": "Present", "absent": "Absent", "unknown": "Cannot say"}
_COURSE = {
    "none": "No",
    "new_or_worse": "Yes, new or worse",
    "longstanding_unchanged": "Yes, for long and unchanged",
    "unknown": "Not known",
}


SectionSchema = Schema.from_dict(
    {
        "title": Text(required=True),
        "kind": choice(*get_args(Kind), required=True),
        "source": Text(required=True),
        "fields": named(),  # read one by one
        "derived": named(required=False),
    },
    name="SectionShape",
)


class FieldSchema(Schema):
    """One field of a section."""

    type = choice(*get_args(Type), required=True)
    label = Text(required=True)
    help = Text(required=True)
    tier = choice("R", "R1")
    required = Flag()
    keep = choice(*get_args(Keep))
    values = fields.Dict(keys=Text(), values=Text(), validate=FILLED)
    unanswered = fields.List(Text(), validate=FILLED)
    old_answers = fields.Dict(keys=Text(), values=Text(), validate=FILLED)
    old_answers_until = fields.Date()
    asked_when = Text()
    minimum = Number()
    maximum = Number()
    unit = Text()
    min_length = fields.Integer(strict=True, validate=validate.Range(min=0))
    max_length = fields.Integer(strict=True, validate=validate.Range(min=1))
    pattern = Text()
    multiline = Flag()
    codes = fields.Nested(Codes)

    @validates_schema
    def _has_what_its_type_needs(self, data: dict[str, Any], **_: Any) -> None:
        needed = {"choice": {"values"}, "number": {"minimum", "maximum", "unit"}, "text": {"max_length"}}
        missing = needed.get(data.get("type", ""), set()) - data.keys()
        if missing:
            raise ValidationError({name: ["Missing for this type."] for name in sorted(missing)})

    @validates_schema
    def _unanswered_is_listed(self, data: dict[str, Any], **_: Any) -> None:
        strange = set(data.get("unanswered", ())) - set(data.get("values", ()))
        if strange:
            raise ValidationError({"unanswered": [f"Not among the values: {', '.join(sorted(strange))}."]})

    @validates_schema
    def _old_answers_have_an_end_and_a_meaning(self, data: dict[str, Any], **_: Any) -> None:
        if ("old_answers" in data) != ("old_answers_until" in data):
            raise ValidationError({"old_answers": ["Give old_answers and old_answers_until, or neither."]})
        values = data.get("values") or (_COURSE if data.get("type") == "course" else {})
        strange = set(data.get("old_answers", {}).values()) - set(values)
        if strange:
            raise ValidationError({"old_answers": [f"Not among the values: {', '.join(sorted(strange))}."]})


SCHEMAS = {f"form/{section}.yaml": SectionSchema() for section in SECTIONS}


def build(documents: Mapping[str, Document]) -> FormDefinition:
    """Return the form; misshapen fields are noted as faults and left out."""
    sections = tuple(_section(name, documents[f"form/{name}.yaml"]) for name in SECTIONS)
    derived = tuple(each for name in SECTIONS for each in _fields(name, "derived", documents[f"form/{name}.yaml"]))
    _note_duplicates([*(each for section in sections for each in section.fields), *derived], documents)
    return FormDefinition(sections, derived)


def _section(name: str, document: Document) -> Section:
    said = document.said
    title, kind, source = (said.get(key, "") for key in ("title", "kind", "source"))
    return Section(name, title, kind, source, tuple(_fields(name, "fields", document)))


def _fields(section: str, key: str, document: Document) -> list[Field]:
    kind = document.said.get("kind", "question")
    return [_field(name, section, kind, said) for name, _, said in document.entries(key, FieldSchema())]


def _field(name: str, section: str, kind: Kind, said: dict[str, Any]) -> Field:
    shared_values = {"tri": _FOUND if kind == "finding" else _ASKED, "course": _COURSE}
    said["values"] = said.get("values") or shared_values.get(said["type"], {})
    said["unanswered"] = frozenset(said.get("unanswered", ()))
    said["codes"] = {system: tuple(codes) for system, codes in said.get("codes", {}).items()}
    return Field(name=name, section=section, kind=kind, **said)


def _note_duplicates(every: list[Field], documents: Mapping[str, Document]) -> None:
    first: dict[str, Field] = {}
    for each in every:
        twin = first.setdefault(each.name, each)
        if twin is not each:
            document = documents[f"form/{each.section}.yaml"]
            document.faults.add(f"{document.path}: fields.{each.name}", f"this name is taken by {twin.path}")
