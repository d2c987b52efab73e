"""Fields and base classes of the response schemas."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate


class ResponseSchema(Schema):
    """An answer; more may be added to it within a version."""

    class Meta:
        """Readers ignore what they do not know."""

        unknown = EXCLUDE


def one_of(values: tuple[str, ...], **settings: Any) -> fields.String:
    """Return a text out of a list."""
    return fields.String(required=True, validate=validate.OneOf(values), **settings)


def string(description: str = "", **settings: Any) -> fields.String:
    """Return a text that is always there, and may be null where `allow_none` says so."""
    return fields.String(required=True, metadata={"description": description} if description else None, **settings)


def reference() -> fields.String:
    """Return a referral's reference."""
    return fields.String(
        required=True,
        metadata={
            "description": "Names the referral among people; the last symbol checks it.",
            "example": "R-7K3M-9Q4M",
        },
    )


def moment(description: str = "", **settings: Any) -> fields.AwareDateTime:
    """Return a time in UTC."""
    metadata = {"description": description} if description else None
    return fields.AwareDateTime(required=True, metadata=metadata, **settings)


def nested(schema: type[Schema], **settings: Any) -> fields.Nested:
    """Return an object that is always there."""
    return fields.Nested(schema, required=True, **settings)


def listed(inner: fields.Field[Any] | type[Schema], description: str = "") -> fields.List[Any]:
    """Return a list of texts or objects."""
    of = fields.Nested(inner) if isinstance(inner, type) else inner
    return fields.List(of, required=True, metadata={"description": description} if description else None)


class Links(ResponseSchema):
    """Where the same thing is read again."""

    self = string()
