"""Routes for referrals: read one, read its timeline, and act on it."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import NotFound

from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http import lists
from services.api.http.auth import READERS, allow, caller, hidden_in_events, reader, scope
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.problems import ProblemError
from services.api.http.responses import json_response
from services.api.referrals import actions
from services.api.referrals.apply_action import ChangeOf, apply_action
from services.api.referrals.requests import AcknowledgeBody, CompleteBody, ReleaseBody, RerouteBody, ReturnBody
from services.api.schemas import parameters, serializers
from services.api.schemas.referrals import Referral, Timeline
from shared.store import referrals
from shared.store.event_log.feed import catch_up, timeline
from shared.store.referrals import StoredReferral

blueprint = StrictBlueprint("referrals", __name__, url_prefix="/v1/referrals", description="What a team works on.")


class TimelineQuery(Body):
    """Which events of a referral, and how many."""

    after = lists.EventNumber(
        load_default=0, metadata={"minimum": 0, "default": 0, "description": "`next` of the page before."}
    )
    limit = lists.limit()


changes = blueprint.doc(parameters=[parameters.IF_MATCH])
answers_referral = blueprint.response(200, Referral, headers=parameters.REFERRAL_HEADERS)


@blueprint.route("/<uuid:referral_id>", methods=["GET"])
@allow("submitter", *READERS)
@answers_referral
def get_referral(referral_id: UUID) -> Response:
    """Read a referral.

    A submitter reads those of its own facility, to follow their status; `patient` is null then.
    """
    with current_context().statements.connect() as connection:
        stored = referrals.find(connection, referral_id, scope())
        if stored is None:
            raise NotFound
        if caller().role in READERS:
            record_access(connection, [stored.patient])
    return answer_referral(stored)


@blueprint.route("/<uuid:referral_id>/events", methods=["GET"])
@allow("submitter", "auditor", *READERS)
@blueprint.arguments(TimelineQuery(), location="query")
@blueprint.response(200, Timeline)
def get_events(query: dict[str, Any], referral_id: UUID) -> Response:
    """Read what happened to a referral, a page at a time.

    Its events have the ids that they have in the feed of all events. An auditor reads them without what people wrote,
    which might say whose referral it is; a submitter with `reason` and `outcome` and without `note`, as in the feed.
    """
    catch_up(current_context().sessions)
    with current_context().sessions() as session:
        if not referrals.is_seen(session, referral_id, scope()):
            raise NotFound
        view = replace(reader(), facility=None, all_kinds=True)  # the referral is seen, and so are its events
        found = timeline(session, referral_id, view, query["after"], limit=query["limit"])
    cipher, without = current_context().cipher, hidden_in_events()
    events = [serializers.event(each, cipher, without=without) for each in found.events]
    return json_response({"events": events, "next": None if found.ended else found.last})


@blueprint.route("/<uuid:referral_id>/acknowledge", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(AcknowledgeBody())
@answers_referral
def acknowledge(body: dict[str, Any], referral_id: UUID) -> Response:
    """Say that a named person has the referral. Again by the same person changes nothing; by another is 409."""
    return _act(actions.acknowledge, referral_id, body)


@blueprint.route("/<uuid:referral_id>/complete", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(CompleteBody())
@answers_referral
def complete(body: dict[str, Any], referral_id: UUID) -> Response:
    """End an acknowledged referral with its outcome."""
    return _act(actions.complete, referral_id, body)


@blueprint.route("/<uuid:referral_id>/reroute", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(RerouteBody())
@answers_referral
def reroute(body: dict[str, Any], referral_id: UUID) -> Response:
    """Move a referral to another queue, where it is queued again. Leaving `urgent` needs `reason` and `confirm`."""
    return _act(partial(actions.reroute, targets=current_context().protocol.targets), referral_id, body)


@blueprint.route("/<uuid:referral_id>/return", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(ReturnBody())
@answers_referral
def give_back(body: dict[str, Any], referral_id: UUID) -> Response:
    """Return a referral to the referrer with advice. Out of `urgent` it needs `confirm`."""
    return _act(actions.return_to_referrer, referral_id, body)


@blueprint.route("/<uuid:referral_id>/release", methods=["POST"])
@allow(*READERS)
@changes
@blueprint.arguments(ReleaseBody())
@answers_referral
def release(body: dict[str, Any], referral_id: UUID) -> Response:
    """Release an acknowledged referral. It is queued again, and its clock runs on from the start."""
    return _act(actions.release, referral_id, body)


def _act(change_of: ChangeOf, referral_id: UUID, body: dict[str, Any]) -> Response:
    return answer_referral(apply_action(change_of, referral_id, body, check=honour_if_match))


def answer_referral(stored: StoredReferral) -> Response:
    """Return a referral as the answer to the caller, with its ETag."""
    shown = serializers.referral(stored, current_context().cipher, with_patient=caller().role != "submitter")
    return json_response(shown, headers={"ETag": f'"{stored.version}"'})


def honour_if_match(stored: StoredReferral) -> None:
    """Raise ProblemError 412 where the caller's If-Match names another state than the present one."""
    if "If-Match" in request.headers and not request.if_match.contains(str(stored.version)):
        raise ProblemError(412)
