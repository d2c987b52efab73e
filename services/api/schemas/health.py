"""Schemas of the answers to probes."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, one_of


class Live(ResponseSchema):
    """The process answers."""

    status = one_of(("live",))


class Ready(ResponseSchema):
    """Whether requests can be served; what is unavailable but not needed for that is `degraded`."""

    status = one_of(("ready",))
    degraded = listed(fields.String())
