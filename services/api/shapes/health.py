"""The shapes of what a probe reads."""

from marshmallow import fields

from services.api.shapes.members import Shape, listed, one_of


class Live(Shape):
    """The process answers."""

    status = one_of(("live",))


class Ready(Shape):
    """Whether requests can be served; what is away but not needed for that is `degraded`."""

    status = one_of(("ready",))
    degraded = listed(fields.String())
