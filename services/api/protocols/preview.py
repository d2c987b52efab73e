"""Decides a form without storing anything."""

from typing import Any

from flask import Response

from services.api.context import current_context
from services.api.forms.deprecation import deprecation_headers
from services.api.forms.receive_form import receive_form
from services.api.http.auth import allow
from services.api.http.parsing.request_parser import Body, StrictBlueprint
from services.api.http.parsing.strict_fields import Choice, Strict
from services.api.http.responses import json_response
from services.api.schemas import parameters, serializers
from services.api.schemas.decisions import Preview
from shared.clinical.presentation.notes import notes_of
from shared.clinical.triage import triage

blueprint = StrictBlueprint("preview", __name__, url_prefix="/v1/triage", description="A decision on trial.")


class PreviewQuery(Body):
    """What else the preview says."""

    ask_next: Strict = Choice(("true", "false"), load_default="false")


@blueprint.route("/preview", methods=["POST"])
@allow("submitter", "department", "operator", "admin")
@blueprint.doc(requestBody=parameters.FORM)
@blueprint.arguments(PreviewQuery(), location="query")
@blueprint.response(200, Preview, headers=parameters.OLD_ANSWER_HEADERS)
def preview(query: dict[str, Any]) -> Response:
    """Decide about a form and store nothing. A recommendation to a clinician, never a diagnosis or an order.

    With `ask_next=true` also the unanswered questions whose answers would change the decision most; 503 with
    `Retry-After` while too many ask for that.
    """
    received_at = current_context().now()
    received = receive_form(current_context(), received_at)
    decision: dict[str, Any] = triage(received.form, current_context().protocol).record()
    notes = notes_of(received.form, current_context().protocol)
    answer = {"decision": serializers.decision(decision, received_at), "notes": notes}
    if query["ask_next"] == "true":
        answer["ask_next"] = current_context().ask_next.of(received.form, current_context().protocol)
    return json_response(answer, headers=deprecation_headers(current_context().protocol, [received.form.answers]))
