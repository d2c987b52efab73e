"""One queue's worklist, with its filters in the address."""

from flask import Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.pages.board import board_version, page
from services.api.console.rows import rows
from services.api.console.session import POLL_HEADER
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, scope
from services.api.http.paging import BadCursorError, cursor_after, position_of
from services.api.http.problems import ProblemError
from services.api.referrals.worklists import LABELS
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES, STATUSES
from shared.store.referrals import WorklistPosition, worklist

ROWS = 100


@blueprint.get("/queues/<name>")
@allow("auditor", *READERS)
def queue(name: str) -> Response:
    """Show a page of a queue, most pressing first."""
    if name not in QUEUES:
        raise NotFound
    if caller().role == "department" and name not in caller().queues:
        raise ProblemError(403, "This key does not name that queue.")
    status, priority = request.args.get("status", "open"), request.args.get("priority")
    if status not in ("open", "all", *STATUSES) or priority not in (None, "", *PRIORITIES):
        raise NotFound
    tag = board_version()
    if request.headers.get(POLL_HEADER) == tag:
        return Response(status=304, headers={POLL_HEADER: tag})
    with current_context().statements.connect() as connection:
        found = worklist(connection, name, status, scope(), limit=ROWS + 1, after=_after())
    listed = [each for each in found[:ROWS] if not priority or PRIORITIES[each.priority] == priority]
    following = cursor_after(found[ROWS - 1]) if len(found) > ROWS else None
    shown = rows(listed, current_context().now())
    filters = {"status": status, "priority": priority or ""}
    content = {"name": name, "label": LABELS[name], "rows": shown, "next": following, "filters": filters}
    return page("queue", "queue_live", tag, **content)


def _after() -> WorklistPosition | None:
    cursor = request.args.get("cursor")
    try:
        return position_of(cursor) if cursor else None
    except (BadCursorError, ValidationError):
        raise NotFound from None
