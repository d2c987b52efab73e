"""Routes for the call-back: read what was sent, and record how the call ended."""

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
from services.api.referrals.apply_action import apply_action
from services.api.referrals.contact.schemas import SentForm
from services.api.referrals.contact.sent_form import sent_form
from services.api.referrals.requests import ContactedBody
from services.api.referrals.routes import answer_referral, answers_referral, changes, honour_if_match
from shared.store.access.scope import Scope
from shared.store.contact import forms
from shared.store.contact.forms import StoredForm

blueprint = StrictBlueprint("contact", __name__, url_prefix="/v1/referrals", description="The call to the patient.")


@blueprint.route("/<uuid:referral_id>/contacted", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(ContactedBody())
@answers_referral
def contacted(body: dict[str, Any], referral_id: UUID) -> Response:
    """Say how a call to the patient or referrer ended.

    `reached` and `not_needed` end the clock of `contact_by`; ending it again is 409. After `no_answer` and
    `left_message` the clock runs on, and the timeline has the attempt.
    """
    return answer_referral(apply_action(actions.contacted, referral_id, body, check=honour_if_match))


@blueprint.route("/<uuid:referral_id>/form", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, SentForm)
def get_sent_form(referral_id: UUID) -> Response:
    """Read what was sent: whom to call back, the free text, and every answer in the form's own words.

    For the department of its queue, operators and admins; 403 for others. Each reading is recorded by the event
    `referral.form_read`, which says nothing of the form, goes to no webhook and changes no ETag.
    """
    with current_context().sessions.begin() as session:
        stored = forms.find(session, referral_id, scope())
        if stored is None:
            _refuse_another_queue(forms.find(session, referral_id, Scope(scope().facility, None)))
            raise NotFound
        forms.record_reading(session, stored, actor=event_actor())
        record_access(session, [stored.patient])
    return json_response(sent_form(stored, current_context()))


def _refuse_another_queue(stored: StoredForm | None) -> None:
    if stored is not None:
        raise ProblemError(403, "This key does not name the queue of this referral.")
