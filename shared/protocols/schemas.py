"""Values that several protocol files share, strict: nothing is converted, nothing unknown is let through."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

NAME = validate.Regexp(r"[a-z][a-z0-9_]*\Z", error="Not a name: small letters, digits and _.")
FILLED = validate.Length(min=1, error="Must not be empty.")


class Text(fields.String):
    """A text that says something."""

    def __init__(self, *checks: validate.Validator, **settings: Any) -> None:
        """Refuse the empty text besides whatever else is checked."""
        super().__init__(validate=[FILLED, *checks], **settings)


class Number(fields.Field[float]):
    """A number written as a number."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Not a number.")
        return value


class Flag(fields.Field[bool]):
    """True or false, nothing that resembles them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not true or false.")
        return value


class Codes(Schema):
    """Codes of one concept: those the specification is sure of; the rest ships as text."""

    loinc = fields.List(Text(validate.Regexp(r"\d{1,7}-\d\Z")), validate=FILLED)
    snomed = fields.List(Text(validate.Regexp(r"\d{6,18}\Z")), validate=FILLED)
    icd10cm = fields.List(Text(validate.Regexp(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?\Z")), validate=FILLED)


def named(check: validate.Validator = NAME, **settings: Any) -> fields.Dict:
    """Return a mapping of names to entries, which are read one by one so that each tells its own faults."""
    settings = {"required": True, "validate": FILLED, **settings}
    return fields.Dict(keys=fields.String(validate=check), values=fields.Raw(), **settings)


def choice(*values: str, **settings: Any) -> fields.String:
    """Return a text out of a list."""
    return fields.String(validate=validate.OneOf(values), **settings)
