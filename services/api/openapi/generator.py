"""Generates the OpenAPI 3.1 document from the views; it is committed as openapi.json."""

import json
from collections.abc import Callable
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Flask
from flask_smorest import Api

from services.api.forms.json_schema import posted_form_document
from services.api.http import problems
from services.api.http.parsing.strict_fields import Choice, Flag, Text
from services.api.openapi.bodies import add_examples
from services.api.openapi.event_types import EVENT_TYPES, webhook_payload, webhooks
from services.api.openapi.form_components import form_components
from services.api.openapi.operation_problems import problem_examples, problem_responses
from services.api.openapi.problem_types import MEMBERS, PROBLEM_TYPES
from services.api.openapi.response_examples import answer_examples
from services.api.schemas.parameters import LINE
from services.api.schemas.problems import Problem
from shared.clinical.protocol import Protocol

COMMITTED = Path(__file__).parents[1] / "openapi.json"
EXTENSION = "psoas-openapi"
DESCRIPTION = """\
Routes referrals of patients who cannot lift a leg while lying flat. Every decision is a recommendation to a clinician,
never a diagnosis or an order.

Every key has one role; an operation names those that may call it. `/docs/problems` lists the types of problems.

Times are RFC 3339 in UTC. Every error is `application/problem+json` (RFC 9457); tell problems apart by `type`. Unknown
keys and query parameters are refused. `X-Request-ID` and `traceparent` are taken and echoed.

Versions: `/v1` changes by addition alone. Be ready for members, event types, problem types and values that you do not
know. What is to go is marked `deprecated` here; its answers carry `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) for
a year or longer before it goes. What cannot be had by addition becomes `/v2`, and `/v1` stays for a year beside it. The
version above is the release's; what changed is in its CHANGELOG.
"""
LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
CONTACT = {"name": "The operators of this Psoas; SECURITY.md says how to report a vulnerability"}


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
            "info": {"description": DESCRIPTION, "license": LICENSE, "contact": CONTACT},
            "servers": [{"url": "/", "description": "The service that this document comes from."}],
            "components": {"securitySchemes": {"key": key}},
            "security": [{"key": []}],
        },
    )
    for field, kind in ((Text, "string"), (Choice, "string"), (Flag, "boolean")):
        api.register_field(field, kind, None)
    for name, schema in (form_components(posted_form_document(protocol)) | _registered()).items():
        api.spec.components.schema(name, schema)
    app.extensions[EXTENSION] = api
    return api


def document(app: Flask) -> dict[str, Any]:
    """Return the document, ready for JSON, with what the library does not know: roles, names, how errors are sent."""
    spec: dict[str, Any] = deepcopy(app.extensions[EXTENSION].spec.to_dict())
    spec["components"] = _components(spec["components"])
    for rule in app.url_map.iter_rules():
        path = _as_documented(rule.rule)
        operations = spec["paths"].get(path, {})
        for method in (rule.methods or set()) & {name.upper() for name in operations}:
            _describe(path, operations[method.lower()], app.view_functions[rule.endpoint])
    spec["webhooks"] = webhooks()
    spec["tags"].append({"name": "webhooks", "description": "What Psoas posts to destinations."})
    add_examples(spec)
    return spec


def written(app: Flask) -> str:
    """Return the text of the committed file."""
    return json.dumps(document(app), indent=1, ensure_ascii=False) + "\n"


def _registered() -> dict[str, Any]:
    """Return the components that stand for registers: kinds of problems, types of events, what a webhook sends."""
    problem_words = "\n".join(f"- `{each.uri}`: {each.meaning}" for each in PROBLEM_TYPES)
    event_words = "\n".join(f"- `{each.name}`: {each.meaning} {each.audience}" for each in EVENT_TYPES)
    return {
        "BatchLine": LINE,
        "ProblemType": {"type": "string", "enum": [each.uri for each in PROBLEM_TYPES], "description": problem_words},
        "EventType": {"type": "string", "enum": [each.name for each in EVENT_TYPES], "description": event_words},
        "WebhookPayload": webhook_payload(),
    }


def _components(components: dict[str, Any]) -> dict[str, Any]:
    """Return the components with what schemas of the library cannot say."""
    schemas = {name: dict(schema) for name, schema in components["schemas"].items()}
    schemas.pop("PaginationMetadata", None)  # the library's own, which is used nowhere
    for name, kind in (("Problem", "ProblemType"), ("Event", "EventType")):
        properties = schemas[name]["properties"] | {"type": {"$ref": f"#/components/schemas/{kind}"}}
        schemas[name]["properties"] = properties | (MEMBERS if name == "Problem" else {})
    content: dict[str, dict[str, Any]] = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    content[problems.MEDIA_TYPE]["examples"] = {"not-found": {"$ref": "#/components/examples/not-found"}}
    problem = {"description": "A problem; tell them apart by `type`.", "content": content}
    examples = problem_examples() | {name: {"value": value} for name, value in answer_examples().items()}
    return {**components, "schemas": schemas, "responses": {"Problem": problem}, "examples": examples}


def _describe(path: str, operation: dict[str, Any], view: Callable[..., Any]) -> None:
    operation["operationId"] = view.__name__
    roles = getattr(view, "roles", None)
    words = operation.get("description") or operation["summary"]
    if roles:
        operation["x-roles"] = sorted(roles)
        words += f"\n\nRoles: {', '.join(f'`{role}`' for role in sorted(roles))}."
    operation["description"] = words
    found = problem_responses(view.__name__, path, operation)
    taken = {status: each for status, each in operation["responses"].items() if "$ref" not in each}
    default = {"default": {"$ref": "#/components/responses/Problem"}}  # for problem types that are added
    operation["responses"] = {**taken, **found, **default}


def _as_documented(rule: str) -> str:
    return rule.replace("<uuid:", "{").replace("<", "{").replace(">", "}")
