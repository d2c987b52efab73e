"""Schemas of a webhook delivery and of a page of deliveries."""

from marshmallow import fields

from services.api.schemas.members import ResponseSchema, listed, moment, nested, one_of, string
from shared.clinical.referral.lifecycle import QUEUES
from shared.tables import DELIVERY_STATUSES, DESTINATION_STATUSES


class DestinationOfDelivery(ResponseSchema):
    """Where a delivery goes."""

    id = fields.UUID(required=True)
    queue = one_of(QUEUES, allow_none=True, metadata={"description": "Null: a facility's own system."})
    url = string()
    status = one_of(DESTINATION_STATUSES)


class Attempt(ResponseSchema):
    """One try to deliver."""

    at = moment("When it ended.")
    duration_ms = fields.Integer(required=True)
    http_status = fields.Integer(required=True, allow_none=True)
    error = string("Why it failed, as a word; null if it did not.", allow_none=True)


class DeliveryLinks(ResponseSchema):
    """What the delivery is about, and how it is tried again."""

    referral = string()
    retry = string()


class Delivery(ResponseSchema):
    """One event on its way to one destination. Its id is the `webhook-id` of every attempt."""

    id = fields.UUID(required=True)
    destination = nested(DestinationOfDelivery)
    referral_id = fields.UUID(required=True)
    event = string("The type of the event.")
    status = one_of(DELIVERY_STATUSES)
    attempts = listed(Attempt)
    due_at = moment("While it is `due`: when the next attempt may be made.")
    created_at = moment()
    error = string("Why the last attempt failed, or why there was none.", allow_none=True)
    links = nested(DeliveryLinks)


class Deliveries(ResponseSchema):
    """A page of deliveries, the oldest first."""

    deliveries = listed(Delivery)
    next = string("The cursor of the next page; null on the last.", allow_none=True)
