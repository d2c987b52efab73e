"""Routes for answers after triage: what to ask next, the answers, a confirmed downgrade, and taking over."""

from typing import Any
from uuid import UUID

from flask import Response
from werkzeug.exceptions import NotFound

from services.api.context import current_context
from services.api.forms.deprecation import deprecation_headers
from services.api.http.auth import READERS, allow, scope
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.responses import json_response
from services.api.referrals import actions
from services.api.referrals.answering.apply_answers import apply_answers, apply_lower_place
from services.api.referrals.answering.requests import AnswersBody
from services.api.referrals.apply_action import apply_action
from services.api.referrals.requests import ConfirmDowngradeBody, TakeOverBody
from services.api.referrals.routes import answer_referral, answers_referral, changes, honour_if_match
from services.api.schemas import parameters
from services.api.schemas.decisions import AskNext
from services.api.schemas.referrals import Referral
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


@blueprint.route("/<uuid:referral_id>/answers", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(AnswersBody())
@blueprint.response(200, Referral, headers=parameters.REFERRAL_HEADERS | parameters.OLD_ANSWER_HEADERS)
def answer(body: dict[str, Any], referral_id: UUID) -> Response:
    """Answer questions of the form: a new version of it is triaged at once, and answered with its open referral.

    The first form stays as it was. What is not answered is copied, and `encounter.completed_by` becomes `clinician`.
    The new referral has an id of its own, supersedes the one before, and keeps its contact, and whoever acknowledged
    it unless the priority rises. A lower place is only proposed (`downgrade_proposed`) until a person confirms it.
    """
    answered = answer_referral(apply_answers(referral_id, body, check=honour_if_match))
    given = {path.rpartition(".")[2]: value for path, value in body["answers"].items()}
    answered.headers.update(deprecation_headers(current_context().protocol, [given]))
    return answered


@blueprint.route("/<uuid:referral_id>/confirm-downgrade", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(ConfirmDowngradeBody())
@answers_referral
def confirm_downgrade(body: dict[str, Any], referral_id: UUID) -> Response:
    """Confirm that a new version ranks lower: it is queued where its own form puts it, with that form's times.

    409 `nothing-proposed` where the referral has that place already.
    """
    return answer_referral(apply_lower_place(referral_id, body, check=honour_if_match))


@blueprint.route("/<uuid:referral_id>/take-over", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(TakeOverBody())
@answers_referral
def take_over(body: dict[str, Any], referral_id: UUID) -> Response:
    """Take an acknowledged referral over from another person. Again by the same person changes nothing."""
    return answer_referral(apply_action(actions.take_over, referral_id, body, check=honour_if_match))
