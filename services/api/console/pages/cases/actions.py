"""What a person does to a referral: the actions of the API, by plain forms, as the person who signed in."""

from functools import partial
from typing import Any, cast
from uuid import UUID

from flask import Response, redirect, request, url_for
from marshmallow import Schema

from services.api.console.back_link import back_link
from services.api.console.blueprint import blueprint
from services.api.console.form_fields import load_body, refuse_other_version
from services.api.console.pages.cases.referral import page_with_problem
from services.api.console.session import CSRF_FIELD, person
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller
from services.api.http.problems import InvalidError, ProblemError
from services.api.referrals import actions
from services.api.referrals.answering.apply_answers import apply_lower_place
from services.api.referrals.apply_action import ChangeOf, apply_action
from services.api.referrals.requests import (
    AcknowledgeBody,
    CompleteBody,
    ConfirmDowngradeBody,
    ContactedBody,
    ReleaseBody,
    RerouteBody,
    ReturnBody,
    TakeOverBody,
)
from shared.store.referrals import StoredReferral

BODIES: dict[str, Schema] = {
    "acknowledge": AcknowledgeBody(),
    "complete": CompleteBody(),
    "reroute": RerouteBody(),
    "return": ReturnBody(),
    "release": ReleaseBody(),
    "contacted": ContactedBody(),
    "take-over": TakeOverBody(),
    "confirm-downgrade": ConfirmDowngradeBody(),
}
FORM_ONLY = (CSRF_FIELD, "version", "back", "call")  # what a page sends beside the body of an action


ACTIONS = "acknowledge, complete, reroute, return, release, contacted, 'take-over', 'confirm-downgrade'"


@blueprint.post(f"/referrals/<uuid:referral_id>/<any({ACTIONS}):action>")
@allow(*READERS)
def act(referral_id: UUID, action: str) -> Response:
    """Do one action, and show the referral as it stands then."""
    try:
        after = _apply(action, referral_id)
    except (InvalidError, ProblemError) as problem:
        return page_with_problem(referral_id, action, problem)
    if caller().role == "department" and after.queue not in caller().queues:
        return cast(Response, redirect(url_for("console.board", moved=after.reference), 303))
    if "call" in request.form:  # pressed on the page of those who wait for a call
        address = url_for("console.call_back", done=after.contacted_outcome or request.form.get("outcome"))
        return cast(Response, redirect(address, 303))
    back = back_link(referral_id)
    address = url_for(
        "console.referral", referral_id=referral_id, done=action, back=back.partition("#")[0] if back else None
    )
    return cast(Response, redirect(address, 303))


def _apply(action: str, referral_id: UUID) -> StoredReferral:
    body = _body(action)
    if action == "confirm-downgrade":
        return apply_lower_place(referral_id, body, check=refuse_other_version, shown=False)
    return apply_action(_change_of(action), referral_id, body, check=refuse_other_version, shown=False)


def _change_of(action: str) -> ChangeOf:
    changes_of: dict[str, ChangeOf] = {
        "acknowledge": actions.acknowledge,
        "complete": actions.complete,
        "reroute": partial(actions.reroute, targets=current_context().protocol.targets),
        "return": actions.return_to_referrer,
        "release": actions.release,
        "contacted": actions.contacted,
        "take-over": actions.take_over,
    }
    return changes_of[action]


def _body(action: str) -> Any:
    """Return the body of an action as the API takes it, from the fields of a form."""
    sent = {name: value.strip() for name, value in request.form.items() if name not in FORM_ONLY and value.strip()}
    body: dict[str, Any] = {**sent, "by": person()}
    if "confirm" in body:
        body["confirm"] = body["confirm"] == "true"
    return load_body(BODIES[action], body)
