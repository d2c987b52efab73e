"""Routes for queues: the state of each, and its worklist in order of urgency."""

from dataclasses import replace
from typing import Any

from flask import Response
from werkzeug.exceptions import NotFound

from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http import lists
from services.api.http.auth import READERS, allow, caller, scope
from services.api.http.paging import cursor_after
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Strict
from services.api.http.problems import ProblemError
from services.api.http.responses import json_response
from services.api.referrals.queue_schemas import Queues
from services.api.schemas import parameters, serializers
from services.api.schemas.referrals import Worklist
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.store.lists.worklist import worklist
from shared.store.queues import QueueStatus, states

blueprint = StrictBlueprint("queues", __name__, url_prefix="/v1/queues", description="What waits for a team.")

LABELS = {
    "urgent": "Urgent",
    "neurology": "Neurology",
    "orthopedics": "Orthopedics",
    "clinical_review": "Clinical review",
}


class QueuesQuery(Body):
    """Which cases are counted."""

    test = lists.tests()


class PageQuery(Body):
    """Which referrals of a queue, and how many."""

    status: Strict = lists.status(("open", "all", *STATUSES), "open")
    limit = lists.limit()
    cursor = lists.cursor()
    test = lists.tests()


@blueprint.route("", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(QueuesQuery(), location="query")
@blueprint.response(200, Queues)
def get_queues(query: dict[str, Any]) -> Response:
    """Say how every queue stands.

    Always all four, also for a key that works only some of them; its facility's referrals where it has a facility.
    """
    with current_context().statements.connect() as connection:
        found = states(connection, replace(scope(), queues=None), test=query["test"])
    return json_response({"queues": [_queue(name, found.get(name, QueueStatus())) for name in QUEUES]})


@blueprint.route("/<queue>/referrals", methods=["GET"], parameters=[parameters.QUEUE])
@allow(*READERS)
@blueprint.arguments(PageQuery(), location="query")
@blueprint.response(200, Worklist)
def get_worklist(query: dict[str, Any], queue: str) -> Response:
    """Read a queue's worklist.

    Ordered by priority, then `acknowledge_by`, then id. `open` is every referral that is in no end state.
    """
    if queue not in QUEUES:
        raise NotFound
    if caller().role == "department" and queue not in caller().queues:
        raise ProblemError(403, "This key does not name that queue.")
    limit, after, test = query["limit"], query["cursor"], query["test"]
    with current_context().statements.connect() as connection:
        found = worklist(connection, queue, query["status"], scope(), limit=limit + 1, after=after, test=test)
        shown = found[:limit]
        record_access(connection, (each.patient for each in shown))
    referrals = [serializers.referral(each, current_context().cipher) for each in shown]
    return json_response({"referrals": referrals, "next": cursor_after(shown[-1]) if len(found) > limit else None})


def _queue(name: str, state: QueueStatus) -> dict[str, Any]:
    return {
        "name": name,
        "label": LABELS[name],
        "open": state.open,
        "unacknowledged": state.unacknowledged,
        "overdue": state.overdue,
        "oldest_age_seconds": state.oldest_age_seconds,
        "by_priority": {priority: state.by_priority.get(place, 0) for place, priority in enumerate(PRIORITIES)},
    }
