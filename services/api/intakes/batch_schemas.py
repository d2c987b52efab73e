"""Schema of one line of the answer to a batch."""

from marshmallow import fields

from services.api.intakes.schemas import Received
from services.api.schemas.members import ResponseSchema, one_of
from services.api.schemas.problems import Problem
from shared.tables import INTAKE_STATUSES


class Receipt(Received):
    """An intake as a batch tells of it; what became of it is read at its link."""

    status = one_of(INTAKE_STATUSES)


class LineOutcome(ResponseSchema):
    """What came of one line: an intake, or a problem."""

    line = fields.Integer(required=True, metadata={"description": "From 1, in the order of the batch."})
    status = fields.Integer(required=True, metadata={"description": "What a single post would have been answered."})
    replayed = fields.Boolean(metadata={"description": "There, and true, if the intake was stored earlier."})
    intake = fields.Nested(Receipt, metadata={"description": "Where the line was taken."})
    problem = fields.Nested(Problem, metadata={"description": "Where it was not."})
