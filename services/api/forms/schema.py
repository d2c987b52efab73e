"""Generates the marshmallow schema of a form from the protocol: one declaration for questions and validation."""

from typing import Any

from marshmallow import Schema, fields, pre_load

from services.api.http.parsing.strict_fields import MESSAGES, Id, field_of
from shared.clinical.fields import FormDefinition


class SectionSchema(Schema):
    """One section; what is not declared is refused."""

    error_messages = MESSAGES


class FormSchema(Schema):
    """A whole form, and the intake that it amends, if it does.

    A section may be missing or null, but each required question is missed by its own name.
    """

    error_messages = MESSAGES
    never_missing: tuple[str, ...] = ()
    amends = Id(allow_none=True)

    @pre_load
    def _open_sections(self, form: Any, **_: Any) -> Any:
        if not isinstance(form, dict):
            return form
        return form | {section: {} for section in self.never_missing if form.get(section) is None}


def create_form_schema(form: FormDefinition) -> Schema:
    """Return the schema that checks a body against `form`."""
    sections: dict[str, Any] = {}
    for section in form.sections:
        asked = {each.name: field_of(each) for each in section.fields}
        sections[section.name] = fields.Nested(SectionSchema.from_dict(asked, name=section.name), allow_none=True)
    schema: Any = FormSchema.from_dict(sections, name="Form")
    schema.never_missing = tuple({each.section: None for each in form.fields.values() if each.required})
    made: Schema = schema()
    return made
