"""The OpenAPI 3.1 document, generated from the views and committed beside them as openapi.json."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Flask
from flask_smorest import Api

from services.api import problems, shapes
from services.api.form_document import form_document
from shared.clinical.protocol import Protocol

COMMITTED = Path(__file__).parent / "openapi.json"
EXTENSION = "psoas-openapi"
DESCRIPTION = """\
Routes referrals of patients who cannot lift a leg while lying flat. Every decision is a recommendation to a clinician,
never a diagnosis or an order.

Times are RFC 3339 in UTC. Every error is `application/problem+json` (RFC 9457); tell problems apart by `type`. Unknown
keys and query parameters are refused. `X-Request-ID` and `traceparent` are taken and echoed.
"""


class PsoasApi(Api):
    """flask-smorest with our shape of errors."""

    ERROR_SCHEMA = shapes.Problem


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
    api.spec.components.schema("Form", form_document(protocol))
    app.extensions[EXTENSION] = api
    return api


def document(app: Flask) -> dict[str, Any]:
    """Return the document, with the roles of every operation and the media type that errors really have."""
    spec: dict[str, Any] = app.extensions[EXTENSION].spec.to_dict()
    for response in spec["components"]["responses"].values():
        response["content"] = {problems.MEDIA_TYPE: response["content"]["application/json"]}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            roles = _roles(app, path, method)
            if roles:
                operation["x-roles"] = sorted(roles)
    return spec


def _roles(app: Flask, path: str, method: str) -> frozenset[str]:
    for rule in app.url_map.iter_rules():
        if _as_documented(rule.rule) == path and method.upper() in (rule.methods or ()):
            return getattr(app.view_functions[rule.endpoint], "roles", frozenset())
    return frozenset()


def _as_documented(rule: str) -> str:
    return rule.replace("<uuid:", "{").replace("<", "{").replace(">", "}")
