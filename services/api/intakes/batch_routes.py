"""Many forms in one request, for systems that catch up: each line is a post of its own, all are stored together."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from flask import Response, g, request

from services.api.admission.body_limits import BATCH_DEADLINE_SECONDS
from services.api.context import current_context
from services.api.http import problems
from services.api.http.auth import allow, own_facility
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.parsing.strict_json import content_of
from services.api.http.problems import ProblemError
from services.api.http.responses import dump_json
from services.api.http.retries import with_retries
from services.api.intakes.batch_schemas import LineOutcome
from services.api.intakes.insert_batch import insert_all
from services.api.intakes.ndjson import read_lines, split_lines
from services.api.schemas import parameters, serializers
from shared.platform.task_queues import triage_wake_up
from shared.store.insert_batch import NamedIntake
from shared.store.intakes import Receipt

blueprint = StrictBlueprint("batch", __name__, url_prefix="/v1/intakes", description="Many forms at once.")

MEDIA_TYPE = parameters.NDJSON
MAX_BYTES = 8 * 2**20


@blueprint.route("/batch", methods=["POST"])
@allow("submitter", "admin")
@blueprint.doc(requestBody=parameters.BATCH)
@blueprint.response(200, LineOutcome, content_type=MEDIA_TYPE, description=parameters.BATCH_ANSWER)
def post_batch() -> Response:
    """Post up to 1,000 forms, a line each.

    What a line leads to is what a single post of it would lead to. All that are taken are stored in one transaction
    before the answer; after 503, or no answer, send the whole batch again.
    """
    own = own_facility()
    content = content_of(request, MEDIA_TYPE, MAX_BYTES, BATCH_DEADLINE_SECONDS)
    with current_context().admission.batch_slot():
        with current_context().admission.reading:
            lines = list(read_lines(current_context(), split_lines(content), own))
        posted = with_retries(
            lambda: insert_all(current_context(), [line for line in lines if isinstance(line, NamedIntake)])
        )
    _announce(posted)
    outcomes = [_outcome(line, posted) for line in lines]
    structlog.contextvars.bind_contextvars(count=len(outcomes))
    g.outcomes = [_counted(outcome) for outcome in outcomes]
    answered = (dump_json({"line": number, **outcome}) for number, outcome in enumerate(outcomes, start=1))
    return Response(b"".join(line + b"\n" for line in answered), content_type=MEDIA_TYPE)


def _announce(posted: Mapping[UUID, Receipt | ProblemError]) -> None:
    """Announce each lane that has something new, once."""
    lanes = {receipt.lane for receipt in posted.values() if isinstance(receipt, Receipt) and receipt.id in posted}
    for lane in sorted(lanes):
        current_context().announce(triage_wake_up(lane))


def _outcome(line: NamedIntake | ProblemError, posted: Mapping[UUID, Receipt | ProblemError]) -> dict[str, Any]:
    """Return what came of a line, but for its number."""
    if isinstance(line, ProblemError):
        return _refused(line)
    receipt = posted[line.new.id]
    if isinstance(receipt, ProblemError):
        return _refused(receipt)
    intake = serializers.received(receipt)
    if receipt.id == line.new.id:
        return {"status": 202, "intake": intake}
    return {"status": 202 if receipt.status == "received" else 200, "replayed": True, "intake": intake}


def _refused(problem: ProblemError) -> dict[str, Any]:
    return {"status": problem.status, "problem": problems.problem_content(problem)}


def _counted(outcome: Mapping[str, Any]) -> str:
    if "problem" in outcome:
        return "refused"
    return "replayed" if "replayed" in outcome else "accepted"
