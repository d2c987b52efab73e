"""Over HTTP: what to ask next about a referral, the answers, and what a person makes of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response
from werkzeug.exceptions import NotFound

from services.api.access.actor import event_actor
from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http.auth import READERS, allow, scope
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.problems import ProblemError
from services.api.http.responses import json_response
from services.api.referrals import actions
from services.api.referrals.actions import status_after
from services.api.referrals.answering.new_version import change_of, count_and_log, make_version
from services.api.referrals.answering.own_place import own_place
from services.api.referrals.answering.requests import AnswersBody, read_answers
from services.api.referrals.apply_action import apply_action
from services.api.referrals.requests import ConfirmDowngradeBody, TakeOverBody
from services.api.referrals.routes import answer_referral, answers_referral, changes, honour_if_match
from services.api.schemas.decisions import AskNext
from shared.clinical.form import Form
from shared.platform.task_queues import delivery_wake_up
from shared.store import referrals
from shared.store.access.scope import Scope
from shared.store.answers import answers_of, hold_case, put_in_own_place, source_form
from shared.store.event_log.events import DueDelivery
from shared.store.referrals import StoredReferral

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
@answers_referral
def answer(body: dict[str, Any], referral_id: UUID) -> Response:
    """Answer questions of the form: a new version of it is triaged at once, and answered with its open referral.

    The first form stays as it was. What is not answered is copied, and `encounter.completed_by` becomes `clinician`.
    The new referral has an id of its own, supersedes the one before, and keeps its contact, and whoever acknowledged
    it unless the priority rises. A lower place is only proposed (`downgrade_proposed`) until a person confirms it.
    """
    context = current_context()
    answers = read_answers(context.protocol.form, body["answers"], context.now())
    with context.sessions.begin() as session:
        case = hold_case(session, referral_id, scope())
        if case is None:
            raise NotFound
        honour_if_match(case.referral)
        status_after("answer", case.referral)
        source = source_form(session, case.referral.intake_id)
        made = make_version(context, session, case, change_of(source, answers, by=body["by"], note=body["note"]))
        after = referrals.find(session, made.outcome.referral_id, Scope.everything()) or case.referral
        record_access(session, [after.patient])
    count_and_log(made)
    return _announced(after, made.due)


@blueprint.route("/<uuid:referral_id>/confirm-downgrade", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(ConfirmDowngradeBody())
@answers_referral
def confirm_downgrade(body: dict[str, Any], referral_id: UUID) -> Response:
    """Confirm that a new version ranks lower: it is queued where its own form puts it, with that form's times.

    409 `nothing-proposed` where the referral has that place already.
    """
    context = current_context()
    with context.sessions.begin() as session:
        case = hold_case(session, referral_id, scope())
        if case is None:
            raise NotFound
        honour_if_match(case.referral)
        status_after("confirm-downgrade", case.referral)
        if not case.referral.downgrade_proposed:
            raise ProblemError(409, "No lower place is proposed for this referral.", kind="nothing-proposed")
        own = own_place(context, source_form(session, case.referral.intake_id), case)
        due = put_in_own_place(session, case, own, by=body["by"], reason=body["reason"], actor=event_actor())
        after = referrals.find(session, referral_id, Scope.everything()) or case.referral
        record_access(session, [after.patient])
    return _announced(after, due)


@blueprint.route("/<uuid:referral_id>/take-over", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(TakeOverBody())
@answers_referral
def take_over(body: dict[str, Any], referral_id: UUID) -> Response:
    """Take an acknowledged referral over from another person. Again by the same person changes nothing."""
    return answer_referral(apply_action(actions.take_over, referral_id, body, check=honour_if_match))


def _announced(stored: StoredReferral, due: Sequence[DueDelivery]) -> Response:
    for delivery in due:
        current_context().announce(delivery_wake_up(delivery.id, delivery.queue))
    return answer_referral(stored)
