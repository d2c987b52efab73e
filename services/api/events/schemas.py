"""Schemas of a page of the event feed and of its stream."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed
from services.api.schemas.referrals import Event

STREAM = {
    "schema": {"type": "string"},
    "example": 'id: 7\nevent: referral.queued\ndata: {"id":7,"type":"referral.queued",…}\n\n',
}


class Feed(ResponseSchema):
    """Some events, in order."""

    events = listed(Event)
    next = fields.Integer(
        required=True,
        metadata={
            "description": "Ask for what is `after` this next: the last id given, or the `after` of an empty page."
        },
    )
