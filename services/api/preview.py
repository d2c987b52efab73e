"""What triage would decide of a form, without storing anything."""

from typing import Any

from flask import Response

from services.api import representations
from services.api.answers import answer
from services.api.auth import allow
from services.api.forms import receive_form
from services.api.parser import StrictBlueprint
from services.api.parts import parts
from services.api.shapes import parameters
from services.api.shapes.decisions import Preview
from shared.clinical.notes import notes_of
from shared.clinical.triage import triage

blueprint = StrictBlueprint("preview", __name__, url_prefix="/v1/triage", description="A decision on trial.")


@blueprint.route("/preview", methods=["POST"])
@allow("submitter", "department", "operator", "admin")
@blueprint.doc(requestBody=parameters.FORM)
@blueprint.response(200, Preview)
def preview() -> Response:
    """Decide about a form and store nothing. A recommendation to a clinician, never a diagnosis or an order."""
    received_at = parts().now()
    received = receive_form(parts(), received_at)
    decision: dict[str, Any] = triage(received.form, parts().protocol).record()
    notes = notes_of(received.form, parts().protocol)
    return answer({"decision": representations.decision(decision, received_at), "notes": notes})
