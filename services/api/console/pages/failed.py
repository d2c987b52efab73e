"""Failed and parked work: deliveries that need a person, and forms whose triage failed."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.rows import rows
from services.api.context import current_context
from services.api.http.auth import allow, scope
from shared.platform.task_queues import delivery_wake_up
from shared.store.delivery import parked
from shared.store.lists.worklist import failed_triage
from shared.store.referrals import references_of

ROWS = 50
MAX_RETRIED = 1000  # parked deliveries that one press retries


@blueprint.get("/failed")
@allow("operator", "admin")
def failed() -> str:
    """Show what did not arrive, and what no rule has decided."""
    now = current_context().now()
    with current_context().sessions() as session:
        deliveries, after = parked.page_seen(session, "parked", scope(), limit=ROWS, after=None)
        count = len(_retriable(session))
        references = references_of(session, {each.delivery.referral_id for each in deliveries})
        untriaged = failed_triage(session, scope(), limit=ROWS)
    return render_template(
        "console/failed.html",
        deliveries=deliveries,
        references=references,
        more=after is not None,
        count=count,
        untriaged=rows(untriaged, now),
        now=now,
        retried=_count(request.args.get("retried")),
    )


@blueprint.post("/failed/retry")
@allow("operator", "admin")
def retry_deliveries() -> Response:
    """Retry one parked delivery, or all that the page counted; each is a new attempt under the same id."""
    delivery_id = request.form.get("delivery")
    with current_context().sessions.begin() as session:
        wanted = [_uuid(delivery_id)] if delivery_id else _retriable(session)
        if delivery_id and parked.find(session, wanted[0], scope()) is None:
            raise NotFound
        due = parked.retry(session, wanted)
    for each in due:
        current_context().announce(delivery_wake_up(each.id, each.queue))
    return cast(Response, redirect(url_for("console.failed", retried=len(due)), 303))


def _retriable(session: Any) -> Sequence[UUID]:
    """Return the parked deliveries that the caller may retry, the oldest first, at most MAX_RETRIED."""
    if scope().facility is None:
        return parked.ids(session)[:MAX_RETRIED]
    seen, _ = parked.page_seen(session, "parked", scope(), limit=MAX_RETRIED, after=None)
    return [each.delivery.id for each in seen if each.destination.status != "removed"]


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotFound from None


def _count(value: str | None) -> int | None:
    return (
        int(value) if value and value.isascii() and value.isdigit() and len(value) < len(str(MAX_RETRIED)) + 1 else None
    )
