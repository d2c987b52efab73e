"""Over HTTP: what to ask next about a referral, and whose it is now."""

from typing import Any
from uuid import UUID

from flask import Response
from werkzeug.exceptions import NotFound

from services.api.context import current_context
from services.api.http.auth import READERS, allow, scope
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.responses import json_response
from services.api.referrals import actions
from services.api.referrals.apply_action import apply_action
from services.api.referrals.requests import TakeOverBody
from services.api.referrals.routes import answer_referral, answers_referral, changes, honour_if_match
from services.api.schemas.decisions import AskNext
from shared.clinical.form import Form
from shared.store.answers import answers_of

blueprint = StrictBlueprint(
    "answering", __name__, url_prefix="/v1/referrals", description="What is asked after triage, and what follows."
)


@blueprint.route("/<uuid:referral_id>/ask-next", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, AskNext)
def get_ask_next(referral_id: UUID) -> Response:
    """Read what to ask next: the unanswered questions whose answers would change the decision most.

    By the active protocol. 503 with `Retry-After` while too many ask for this.
    """
    with current_context().statements.connect() as connection:
        answers = answers_of(connection, referral_id, scope())
    if answers is None:
        raise NotFound
    return json_response({"ask_next": current_context().ask_next.of(Form.of(answers), current_context().protocol)})


@blueprint.route("/<uuid:referral_id>/take-over", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(TakeOverBody())
@answers_referral
def take_over(body: dict[str, Any], referral_id: UUID) -> Response:
    """Take an acknowledged referral over from another person. Again by the same person changes nothing."""
    return answer_referral(apply_action(actions.take_over, referral_id, body, check=honour_if_match))
