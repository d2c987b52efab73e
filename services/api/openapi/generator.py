"""Generates the OpenAPI 3.1 document from the views; it is committed as openapi.json."""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Flask
from flask_smorest import Api

from services.api.forms.json_schema import posted_form_document
from services.api.http import problems
from services.api.http.parsing.strict_fields import Choice, Flag, Text
from services.api.schemas.problems import Problem
from shared.clinical.protocol import Protocol

COMMITTED = Path(__file__).parents[1] / "openapi.json"
EXTENSION = "psoas-openapi"
DESCRIPTION = """\
Routes referrals of patients who cannot lift a leg while lying flat. Every decision is a recommendation to a clinician,
never a diagnosis or an order.

Times are RFC 3339 in UTC. Every error is `application/problem+json` (RFC 9457); tell problems apart by `type`. Unknown
keys and query parameters are refused. `X-Request-ID` and `traceparent` are taken and echoed.

Versions: `/v1` changes by addition alone. Be ready for members, event types, problem types and values that you do not
know. What is to go is marked `deprecated` here; its answers carry `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) for
a year or longer before it goes. What cannot be had by addition becomes `/v2`, and `/v1` stays for a year beside it. The
version above is the release's; what changed is in its CHANGELOG.
"""


class PsoasApi(Api):
    """flask-smorest with our shape of errors."""

    ERROR_SCHEMA = Problem


def register(app: Flask, protocol: Protocol) -> PsoasApi:
    """Return the API at which the blueprints register, so that they are documented."""
    app.config.update(API_TITLE="Psoas", API_VERSION=version("psoas"), OPENAPI_VERSION="3.1.0")
    key = {"type": "http", "scheme": "bearer", "bearerFormat": "rk_<key id>_<secret>"}
    api = PsoasApi(
        app,
        spec_kwargs={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
            "components": {"securitySchemes": {"key": key}},
            "security": [{"key": []}],
        },
    )
    for field, kind in ((Text, "string"), (Choice, "string"), (Flag, "boolean")):
        api.register_field(field, kind, None)
    api.spec.components.schema("Form", posted_form_document(protocol))
    app.extensions[EXTENSION] = api
    return api


def document(app: Flask) -> dict[str, Any]:
    """Return the document, ready for JSON, with what the library does not know: roles, names, how errors are sent."""
    spec: dict[str, Any] = app.extensions[EXTENSION].spec.to_dict()
    components = spec["components"]
    problem = components["responses"][Api.DEFAULT_ERROR_RESPONSE_NAME]
    content = {problems.MEDIA_TYPE: problem["content"]["application/json"]}
    components["responses"] = {"Problem": {"description": "A problem; tell them apart by `type`.", "content": content}}
    components["schemas"].pop("PaginationMetadata", None)  # the library's own, which is used nowhere
    for rule in app.url_map.iter_rules():
        operations = spec["paths"].get(_as_documented(rule.rule), {})
        for method in (rule.methods or set()) & {name.upper() for name in operations}:
            _describe(operations[method.lower()], app.view_functions[rule.endpoint])
    return spec


def written(app: Flask) -> str:
    """Return the text of the committed file."""
    return json.dumps(document(app), indent=1, ensure_ascii=False) + "\n"


def _describe(operation: dict[str, Any], view: Callable[..., Any]) -> None:
    operation["operationId"] = view.__name__
    roles = getattr(view, "roles", None)
    if roles:
        operation["x-roles"] = sorted(roles)
    for status, response in operation["responses"].items():
        if "$ref" in response:  # the library names these after Python's phrases, which change between its versions
            operation["responses"][status] = {"$ref": "#/components/responses/Problem"}


def _as_documented(rule: str) -> str:
    return rule.replace("<uuid:", "{").replace("<", "{").replace(">", "}")
