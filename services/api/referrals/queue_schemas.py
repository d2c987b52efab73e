"""Schemas of the state of the queues."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, nested, one_of, string
from shared.clinical.referral.lifecycle import QUEUES


class ByPriority(ResponseSchema):
    """Open referrals of each priority."""

    emergency = fields.Integer(required=True)
    urgent = fields.Integer(required=True)
    prompt = fields.Integer(required=True)
    routine = fields.Integer(required=True)


class Queue(ResponseSchema):
    """How a queue stands."""

    name = one_of(QUEUES)
    label = string()
    open = fields.Integer(required=True)
    unacknowledged = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    oldest_age_seconds = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of the oldest open referral; null if none is open."}
    )
    by_priority = nested(ByPriority)


class Queues(ResponseSchema):
    """All four queues, in their order."""

    queues = listed(Queue)
