"""Intakes over HTTP: post a form, read what became of it."""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from flask import Response, g, request
from marshmallow import fields
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import NotFound

from services.api import lists, representations
from services.api.answers import answer
from services.api.auth import allow, caller, own_facility, scope
from services.api.fields import Strict, Text
from services.api.forms import receive_form
from services.api.idempotency import idempotency_key
from services.api.paging import written
from services.api.parser import Body, StrictBlueprint
from services.api.parts import Parts, parts
from services.api.posting import post
from services.api.problems import ProblemError
from services.api.retries import retried
from services.api.sealing import new_intake
from services.api.shapes import parameters
from services.api.shapes.intakes import Intake, Intakes, Received
from services.api.waiting import preferred_seconds, wait_for_triage
from shared.store import intakes
from shared.store.intake_lists import IntakeFilter, intakes_of
from shared.store.intakes import Receipt
from shared.store.scope import Scope
from shared.tables import INTAKE_STATUSES
from shared.task_queues import triage_hint

blueprint = StrictBlueprint("intakes", __name__, url_prefix="/v1/intakes", description="What hospitals send.")
MOST_CHARACTERS = 200


@blueprint.route("", methods=["POST"])
@allow("submitter", "admin")
@blueprint.doc(requestBody=parameters.FORM, parameters=[parameters.IDEMPOTENCY_KEY, parameters.PREFER])
@blueprint.response(202, Received, description="Stored; triage follows.", headers=parameters.POSTED_HEADERS)
@blueprint.alt_response(200, schema=Intake, description="Triaged meanwhile.", headers=parameters.POSTED_HEADERS)
def post_intake() -> Response:
    """Post a form.

    Stores it once, whatever is repeated, and answers at once, or after triage where `Prefer: wait=<seconds>` asks.
    """
    own = own_facility()
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    new = new_intake(parts(), receive_form(parts(), parts().now()), own)
    with parts().capacity.taken(new.lane):
        posted = retried(lambda: post(parts(), new, key))
    g.stored = time.perf_counter()
    structlog.contextvars.bind_contextvars(intake_id=str(posted.id))
    replayed = posted.id != new.id
    if not replayed:
        parts().announce(triage_hint(new.lane))
    return _answer_posted(parts(), posted, replayed=replayed)


class ListQuery(Body):
    """Which intakes, and how many."""

    external_id = Text(least=1, most=MOST_CHARACTERS, load_default=None)
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
    with parts().statements.connect() as connection:
        found = intakes_of(connection, facility, IntakeFilter(**query), limit=limit + 1, after=after)
    shown = found[:limit]
    cursor = written([shown[-1].received_at, shown[-1].id]) if len(found) > limit else None
    return answer({"intakes": [representations.intake(each) for each in shown], "next": cursor})


@blueprint.route("/<uuid:intake_id>", methods=["GET"])
@allow("submitter", "operator", "admin")
@blueprint.response(200, Intake)
def get_intake(intake_id: UUID) -> Response:
    """Read an intake, its decision and the status of its referral."""
    with parts().statements.connect() as connection:
        stored = intakes.find(connection, intake_id, scope())
    if stored is None:
        raise NotFound
    return answer(representations.intake(stored))


def _answer_posted(parts: Parts, posted: Receipt, *, replayed: bool) -> Response:
    headers = {"Location": representations.intake_path(posted.id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    seconds = preferred_seconds(request.headers.getlist("Prefer"))
    if seconds is not None and wait_for_triage(parts, posted.id, seconds):
        headers["Preference-Applied"] = f"wait={seconds}"
    elif not replayed or posted.status == "received":  # as read with the receipt: nothing is to be read again
        return answer(representations.received(posted), 202, headers)
    try:
        return _as_it_stands(parts, posted.id, headers)
    except SQLAlchemyError:
        if replayed:
            raise
        return answer(representations.received(posted), 202, headers)  # it is stored, so its sender is not sent away


def _as_it_stands(parts: Parts, intake_id: UUID, headers: dict[str, str]) -> Response:
    with parts.statements.connect() as connection:
        stored = intakes.find(connection, intake_id, Scope())
    if stored is None:
        raise NotFound
    if stored.status == "triaged":
        return answer(representations.intake(stored), 200, headers)
    return answer(representations.received(stored), 202, headers)
