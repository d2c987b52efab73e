"""Intakes over HTTP: post a form, read what became of it."""

import time
from uuid import UUID

import structlog
from flask import Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import NotFound

from services.api import representations
from services.api.answers import answer
from services.api.auth import allow, own_facility, scope
from services.api.forms import receive_form
from services.api.idempotency import idempotency_key
from services.api.parser import StrictBlueprint
from services.api.parts import Parts, parts
from services.api.posting import post
from services.api.retries import retried
from services.api.sealing import new_intake
from services.api.shapes import parameters
from services.api.shapes.intakes import Intake, Received
from services.api.waiting import preferred_seconds, wait_for_triage
from shared.store import intakes
from shared.store.intakes import Receipt
from shared.store.scope import Scope
from shared.task_queues import triage_hint

blueprint = StrictBlueprint("intakes", __name__, url_prefix="/v1/intakes", description="What hospitals send.")


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
        stored = intakes.find(connection, intake_id, Scope.everything())
    if stored is None:
        raise NotFound
    if stored.status == "triaged":
        return answer(representations.intake(stored), 200, headers)
    return answer(representations.received(stored), 202, headers)
