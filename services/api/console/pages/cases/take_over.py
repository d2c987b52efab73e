"""Taking over: everything that one person holds goes to the person who presses, with one reason on each timeline."""

from typing import cast
from uuid import UUID

from flask import Response, redirect, request, url_for
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.console.pages.handover import in_hand
from services.api.console.session import person
from services.api.http.auth import READERS, allow
from services.api.http.problems import ProblemError
from services.api.referrals import actions
from services.api.referrals.apply_action import apply_action
from services.api.referrals.requests import MAX_NAME_LENGTH, MAX_TEXT_LENGTH
from shared.store.referrals import StoredReferral


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
    """Take one case over; say whether its owner still held it."""

    def still_held(stored: StoredReferral) -> None:
        if stored.status != "acknowledged" or stored.acknowledged_by != owner:
            raise ProblemError(409, "The case has changed hands.")

    try:
        apply_action(actions.take_over, referral_id, {"by": person(), "reason": reason}, check=still_held, shown=False)
    except (NotFound, ProblemError):
        return False
    return True
