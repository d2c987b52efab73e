"""Schema of a problem, the shape of every error."""

from marshmallow import fields, validate

from services.api.http.problems import MAX_ERRORS
from services.api.schemas.members import ResponseSchema, string


class Error(ResponseSchema):
    """One error in a body or query."""

    pointer = string("RFC 6901; an empty one means the whole body.")
    detail = string()


class Problem(ResponseSchema):
    """Every error (RFC 9457). Nothing that was sent is repeated in it."""

    type = string("Stable: tell problems apart by it.")
    title = string()
    status = fields.Integer(required=True)
    detail = string()
    instance = string("`urn:uuid:` of the request.")
    request_id = string("Name it when you ask for support.")
    errors = fields.List(fields.Nested(Error), validate=validate.Length(max=MAX_ERRORS))
