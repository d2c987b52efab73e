"""Schema of a corrected identity."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, moment, nested, one_of, string

PARTS = ("mrn", "birth_date", "family_name", "given_name")


class Identity(ResponseSchema):
    """Whose form it was said to be."""

    mrn = string()
    birth_date = fields.Date(required=True)
    family_name = string(allow_none=True)
    given_name = string(allow_none=True)


class IdentityCorrection(ResponseSchema):
    """One correction; `before` or `after` is null where it cannot be read, and `identity_unreadable` says so."""

    id = fields.UUID(required=True)
    at = moment()
    by = string()
    reason = string(allow_none=True)
    before = nested(Identity, allow_none=True)
    after = nested(Identity, allow_none=True)
    identity_unreadable = fields.Boolean(required=True)
    fields = listed(one_of(PARTS))  # type: ignore[assignment]  # marshmallow takes it off the class; last, as it hides the module


class IdentityHistory(ResponseSchema):
    """A page of corrections, oldest first."""

    corrections = listed(IdentityCorrection)
    next = fields.UUID(required=True, allow_none=True, metadata={"description": "For `after`; null on the last page."})
