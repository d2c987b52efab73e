"""Route for batches, NDJSON or JSON: each item is a form of its own, and all are stored in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from flask import Response, g, request

from services.api.admission.body_limits import BATCH_DEADLINE_SECONDS
from services.api.context import current_context
from services.api.forms.deprecation import deprecation_headers
from services.api.http import problems
from services.api.http.auth import allow, own_facility
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.parsing.strict_json import content_of
from services.api.http.problems import ProblemError
from services.api.http.responses import dump_json, json_response
from services.api.intakes.accept import Accepted, accept_batch
from services.api.intakes.batch_schemas import LineOutcome
from services.api.intakes.parse_batch import name_of, parse_form, parse_line, split_forms, split_lines
from services.api.schemas import parameters, serializers

blueprint = StrictBlueprint("batch", __name__, url_prefix="/v1/intakes", description="Many forms at once.")

MEDIA_TYPE, JSON = parameters.NDJSON, "application/json"
MAX_BYTES = 8 * 2**20


@blueprint.route("/batch", methods=["POST"])
@allow("submitter", "admin")
@blueprint.doc(requestBody=parameters.BATCH)
@blueprint.doc(responses={200: {"content": {JSON: {"schema": parameters.OUTCOMES}}}})
@blueprint.response(
    200,
    LineOutcome,
    content_type=MEDIA_TYPE,
    description=parameters.BATCH_ANSWER,
    headers=parameters.OLD_ANSWER_HEADERS,
)
def post_batch() -> Response:
    """Post up to 1,000 forms, a line each, or as `application/json` in `forms`.

    What a line leads to is what a single post of it would lead to. JSON is answered with JSON: `outcomes` in the order
    of `forms`, each with its name. All that are taken are stored in one transaction
    before the answer; after 503, or no answer, send the whole batch again.
    """
    facility = own_facility()
    as_json = request.mimetype == JSON
    content = content_of(request, JSON if as_json else MEDIA_TYPE, MAX_BYTES, BATCH_DEADLINE_SECONDS)
    items: Sequence[Any] = []

    def split() -> Sequence[Any]:
        nonlocal items
        items = split_forms(content) if as_json else split_lines(content)
        return items

    accepted = accept_batch(current_context(), split, parse_form if as_json else parse_line, facility=facility)
    outcomes = [_outcome(each) for each in accepted]
    structlog.contextvars.bind_contextvars(count=len(outcomes))
    g.outcomes = [_counted(outcome) for outcome in outcomes]
    sent = (each.receipt.answers["answers"] for each in accepted if isinstance(each, Accepted))
    headers = deprecation_headers(current_context().protocol, sent)
    numbered = [{"line": number, **outcome} for number, outcome in enumerate(outcomes, start=1)]
    if as_json:
        named = [{**each, "idempotency_key": name_of(item)} for each, item in zip(numbered, items, strict=True)]
        return json_response({"outcomes": named}, headers=headers)
    answered = (dump_json(each) for each in numbered)
    return Response(b"".join(line + b"\n" for line in answered), headers=headers, content_type=MEDIA_TYPE)


def _outcome(accepted: Accepted | ProblemError) -> dict[str, Any]:
    """Return what came of a line, but for its number."""
    if isinstance(accepted, ProblemError):
        return {"status": accepted.status, "problem": problems.problem_content(accepted)}
    intake = serializers.received(accepted.receipt, current_context().cipher)
    if not accepted.is_replayed:
        return {"status": 202, "intake": intake}
    return {"status": 202 if accepted.receipt.status == "received" else 200, "replayed": True, "intake": intake}


def _counted(outcome: Mapping[str, Any]) -> str:
    if "problem" in outcome:
        return "refused"
    return "replayed" if "replayed" in outcome else "accepted"
