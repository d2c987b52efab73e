"""Routes for intakes: post a form, and read what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from flask import Response, request
from marshmallow import fields
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import NotFound

from services.api.context import AppContext, current_context
from services.api.forms.deprecation import deprecation_headers
from services.api.http import lists
from services.api.http.auth import allow, caller, own_facility, scope
from services.api.http.paging import written
from services.api.http.parsing import strict_json
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Strict, Text
from services.api.http.problems import ProblemError
from services.api.http.responses import json_response
from services.api.intakes.accept import accept_intake
from services.api.intakes.idempotency import idempotency_key
from services.api.intakes.long_poll import preferred_seconds, wait_for_triage
from services.api.intakes.schemas import Intake, Intakes, Received
from services.api.schemas import parameters, serializers
from shared.store import intakes
from shared.store.access.scope import Scope
from shared.store.intakes import Receipt
from shared.store.lists.intake_lists import IntakeFilter, intakes_of
from shared.tables import INTAKE_STATUSES

blueprint = StrictBlueprint("intakes", __name__, url_prefix="/v1/intakes", description="What hospitals send.")
MAX_LENGTH = 200


@blueprint.route("", methods=["POST"])
@allow("submitter", "admin")
@blueprint.doc(requestBody=parameters.FORM, parameters=[parameters.IDEMPOTENCY_KEY, parameters.PREFER])
@blueprint.response(202, Received, description="Stored; triage follows.", headers=parameters.POSTED_HEADERS)
@blueprint.alt_response(200, schema=Intake, description="Triaged meanwhile.", headers=parameters.POSTED_HEADERS)
def post_intake() -> Response:
    """Post a form.

    Stores it once, whatever is repeated, and answers at once, or after triage where `Prefer: wait=<seconds>` asks.
    """
    facility = own_facility()
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    accepted = accept_intake(current_context(), strict_json.read(request), key, facility=facility)
    structlog.contextvars.bind_contextvars(intake_id=str(accepted.receipt.id))
    headers = deprecation_headers(current_context().protocol, [accepted.receipt.answers["answers"]])
    return _answer_posted(current_context(), accepted.receipt, headers, replayed=accepted.is_replayed)


class ListQuery(Body):
    """Which intakes, and how many."""

    external_id = Text(least=1, most=MAX_LENGTH, load_default=None)
    status: Strict = lists.status(INTAKE_STATUSES, None)
    since: fields.Field[datetime] = lists.Instant(
        load_default=None, metadata={"description": "Received then or later."}
    )
    limit = lists.limit()
    cursor = lists.cursor(lists.IntakeCursor)


@blueprint.route("", methods=["GET"])
@allow("submitter", "operator", "admin")
@blueprint.arguments(ListQuery(), location="query")
@blueprint.response(200, Intakes)
def get_intakes(query: dict[str, Any]) -> Response:
    """List the intakes of the key's facility, the newest first, each with its decision and referral."""
    facility = caller().facility
    if facility is None:
        raise ProblemError(403, "This key belongs to no facility, and intakes are listed for one.")
    limit, after = query.pop("limit"), query.pop("cursor")
    with current_context().statements.connect() as connection:
        keys = current_context().settings.lookup_keys
        wanted = IntakeFilter(**query)
        found = intakes_of(connection, facility, wanted, lookup_keys=keys, limit=limit + 1, after=after)
    shown = found[:limit]
    cursor = written([shown[-1].received_at, shown[-1].id]) if len(found) > limit else None
    intakes_shown = [serializers.intake(each, current_context().cipher) for each in shown]
    return json_response({"intakes": intakes_shown, "next": cursor})


@blueprint.route("/<uuid:intake_id>", methods=["GET"])
@allow("submitter", "operator", "admin")
@blueprint.response(200, Intake)
def get_intake(intake_id: UUID) -> Response:
    """Read an intake, its decision and the status of its referral."""
    with current_context().statements.connect() as connection:
        stored = intakes.find(connection, intake_id, scope())
    if stored is None:
        raise NotFound
    return json_response(serializers.intake(stored, current_context().cipher))


def _answer_posted(context: AppContext, posted: Receipt, headers: dict[str, str], *, replayed: bool) -> Response:
    headers = {"Location": serializers.intake_path(posted.id), **headers}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    seconds = preferred_seconds(request.headers.getlist("Prefer"))
    if seconds is not None and wait_for_triage(context, posted.id, seconds):
        headers["Preference-Applied"] = f"wait={seconds}"
    elif not replayed or posted.status == "received":  # as read with the receipt: nothing is to be read again
        return json_response(serializers.received(posted, context.cipher), 202, headers)
    try:
        return _current_state(context, posted.id, headers)
    except SQLAlchemyError:
        if replayed:
            raise
        # It is stored, so the post has succeeded.
        return json_response(serializers.received(posted, context.cipher), 202, headers)


def _current_state(context: AppContext, intake_id: UUID, headers: dict[str, str]) -> Response:
    with context.statements.connect() as connection:
        stored = intakes.find(connection, intake_id, Scope.everything())
    if stored is None:
        raise NotFound
    if stored.status == "triaged":
        return json_response(serializers.intake(stored, context.cipher), 200, headers)
    return json_response(serializers.received(stored, context.cipher), 202, headers)
