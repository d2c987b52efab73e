"""Routes for webhook deliveries: list those that are parked or due, and retry them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields
from werkzeug.exceptions import NotFound

from services.api.context import current_context
from services.api.deliveries.schemas import Deliveries, Delivery
from services.api.http import paging
from services.api.http.auth import allow, scope
from services.api.http.lists import DEFAULT_LIMIT, MAX_LIMIT, Limit
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Choice, Strict
from services.api.http.problems import ProblemError
from services.api.http.responses import json_response
from services.api.schemas.serializers import referral_path
from shared.platform.task_queues import delivery_wake_up
from shared.store.delivery import parked
from shared.store.delivery.parked import DeliveryPosition, Seen
from shared.tables import DELIVERY_STATUSES

blueprint = StrictBlueprint(
    "deliveries", __name__, url_prefix="/v1/deliveries", description="What departments' own systems are sent."
)


class Cursor(fields.String):
    """Where a page begins."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            created_at, delivery_id = paging.read(value)
            position = DeliveryPosition(datetime.fromisoformat(created_at), UUID(delivery_id))
        except (ValueError, TypeError, AttributeError):
            position = None
        if position is None or position.created_at.tzinfo is None:
            raise ValidationError("No cursor that was handed out here.")
        return position


class PageQuery(Body):
    """Which deliveries, and how many."""

    status: Strict = Choice(DELIVERY_STATUSES, load_default="parked")
    limit = Limit(load_default=DEFAULT_LIMIT, metadata={"minimum": 1, "maximum": MAX_LIMIT})
    cursor = Cursor(load_default=None, metadata={"description": "`next` of the page before."})


@blueprint.route("", methods=["GET"])
@allow("operator", "admin")
@blueprint.arguments(PageQuery(), location="query")
@blueprint.response(200, Deliveries)
def get_deliveries(query: dict[str, Any]) -> Response:
    """Read deliveries of one status, the oldest first. `parked` ones need a person.

    A key with a facility reads those of its facility's referrals; a page may then be short or empty before the last.
    """
    with current_context().sessions() as session:
        shown, last = parked.page_seen(session, query["status"], scope(), limit=query["limit"], after=query["cursor"])
    cursor = paging.written([last.created_at, last.id]) if last else None
    return json_response({"deliveries": [_delivery(each) for each in shown], "next": cursor})


@blueprint.route("/<uuid:delivery_id>/retry", methods=["POST"])
@allow("operator", "admin")
@blueprint.response(200, Delivery)
def retry_delivery(delivery_id: UUID) -> Response:
    """Try a parked delivery again now, under the same id; the earlier attempts stay.

    A destination that was gone is served again. 409 if the delivery is not parked, or its destination is removed.
    """
    with current_context().sessions.begin() as session:
        if parked.find(session, delivery_id, scope()) is None:
            raise NotFound
        due = parked.retry(session, [delivery_id])
        session.expire_all()
        seen = parked.find(session, delivery_id, scope())
    assert seen  # noqa: S101 - deliveries are never removed
    if not due:
        state, removed = seen.delivery.status, seen.destination.status == "removed"
        detail = "Its destination is removed." if removed else f"Not possible while the delivery is {state}."
        raise ProblemError(409, detail, kind="not-parked", delivery_status=state)
    for each in due:
        current_context().announce(delivery_wake_up(each.id, each.queue))
    return json_response(_delivery(seen))


def _delivery(seen: Seen) -> dict[str, Any]:
    delivery, destination = seen.delivery, seen.destination
    return {
        "id": delivery.id,
        "destination": {
            "id": destination.id,
            "queue": destination.queue,
            "url": destination.url,
            "status": destination.status,
        },
        "referral_id": delivery.referral_id,
        "event": delivery.payload["type"],
        "status": delivery.status,
        "attempts": [
            {"at": each.at, "duration_ms": each.duration_ms, "http_status": each.http_status, "error": each.error}
            for each in seen.attempts
        ],
        "due_at": delivery.due_at,
        "created_at": delivery.created_at,
        "error": delivery.error,
        "links": {
            "referral": referral_path(delivery.referral_id),
            "retry": f"/v1/deliveries/{delivery.id}/retry",
        },
    }
