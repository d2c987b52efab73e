"""Routes for the active protocol: its form, and its rules in plain words."""

from typing import Any

from flask import Response

from services.api.context import current_context
from services.api.forms.json_schema import form_document
from services.api.http.auth import allow
from services.api.http.parsing.request_parser import StrictBlueprint
from services.api.http.responses import json_response
from services.api.protocols.document import protocol_document

blueprint = StrictBlueprint("protocol", __name__, url_prefix="/v1", description="What is asked, and by which rules.")
EVERYBODY = ("submitter", "department", "operator", "auditor", "admin")
_OBJECT: dict[str, Any] = {"type": "object"}


@blueprint.route("/form", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, _OBJECT, description="A JSON Schema (2020-12)")
def get_form() -> Response:
    """Read the form as a JSON Schema with titles, help and codes."""
    return json_response(form_document(current_context().protocol))


@blueprint.route("/protocol", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, _OBJECT)
def get_protocol() -> Response:
    """Read the active protocol: rules, routes and floors in plain words, with sources and time targets."""
    return json_response(protocol_document(current_context().protocol))
