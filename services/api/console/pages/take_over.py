"""Taking over: everything that one person holds goes to the person who presses, with one reason on each timeline."""

from typing import Any, cast
from uuid import UUID

from flask import Response, redirect, request, url_for
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.pages.handover import in_hand
from services.api.console.session import person
from services.api.context import current_context
from services.api.http.auth import READERS, allow, scope
from services.api.http.problems import ProblemError
from services.api.referrals import actions
from services.api.referrals.requests import MAX_NAME_LENGTH, MAX_TEXT_LENGTH
from shared.platform.task_queues import delivery_wake_up
from shared.store import referrals
from shared.store.event_log.events import DueDelivery


@blueprint.post("/handover/take-over")
@allow(*READERS)
def take_over() -> Response:
    """Take over what a person holds, one transaction for each case; what has changed hands meanwhile is left alone."""
    owner, reason = (" ".join(request.form.get(name, "").split()) for name in ("owner", "reason"))
    if not owner or len(owner) > MAX_NAME_LENGTH:
        raise NotFound
    if not reason or len(reason) > MAX_TEXT_LENGTH:
        raise ProblemError(422, f"Taking over needs a reason of at most {MAX_TEXT_LENGTH} characters.")
    if owner == person():
        raise ProblemError(409, "These cases are yours already.")
    held = [each for each in in_hand() if each.acknowledged_by == owner]
    taken = sum(_take(each.id, owner, reason) for each in held)
    return cast(Response, redirect(url_for("console.handover", taken=taken), 303))


def _take(referral_id: UUID, owner: str, reason: str) -> bool:
    """Release one case and acknowledge it, in one transaction; say whether its owner still held it."""
    by, due = person(), list[DueDelivery]()
    steps: list[tuple[Any, dict[str, Any]]] = [
        (actions.release, {"by": by, "reason": f"Taken over from {owner}: {reason}"}),
        (actions.acknowledge, {"by": by, "note": f"Taken over from {owner}: {reason}"}),
    ]
    with current_context().sessions.begin() as session:
        for change_of, body in steps:
            stored = referrals.find_to_change(session, referral_id, scope())
            if stored is None or (change_of is actions.release and stored.acknowledged_by != owner):
                return False
            if stored.status not in ("acknowledged", "queued"):
                return False
            change = change_of(stored, body)
            due += referrals.change(session, stored, change.values, change.event())
    for delivery in due:
        current_context().announce(delivery_wake_up(delivery.id, delivery.queue))
    return True
