"""What a client's author finds in the OpenAPI document: problems, events, examples, names, roles."""

import re

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import select

from services.api.openapi.event_types import EVENT_TYPES
from services.api.openapi.generator import document
from services.api.openapi.problem_types import PROBLEM_TYPES
from shared.platform.crypto import IdentityCipher
from shared.store.delivery import destinations
from shared.store.delivery.destinations import Place
from shared.tables import Delivery
from tests.api.test_documents import closed

LONGEST_NAME = 40


@pytest.fixture(scope="module")
def spec(app):
    return document(app)


def operations(spec):
    """Yield every operation with its method and path."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield method, path, operation


def bodies(spec):
    """Yield a name, schema and examples of every body of an operation or webhook."""
    found = [*operations(spec), *((name, "webhook", each["post"]) for name, each in spec["webhooks"].items())]
    for method, path, operation in found:
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in contents:
            if "$ref" in content:
                content = spec["components"]["responses"]["Problem"]
            for media_type, media in content.get("content", {}).items():
                named = media.get("examples", {}).values()
                values = [media["example"]] if "example" in media else [_value(spec, each) for each in named]
                yield f"{method} {path} {media_type}", media["schema"], values


def _value(spec, example):
    found = spec["components"]["examples"][example["$ref"].rpartition("/")[2]] if "$ref" in example else example
    return found["value"]


def test_every_body_has_an_example_that_conforms(spec):
    count = 0
    for name, schema, examples in bodies(spec):
        assert examples, name
        exactly = closed if "$ref" in schema and "problem+json" not in name else dict  # `allOf` cannot be closed
        validator = Draft202012Validator(
            {**schema, "components": exactly(spec["components"])}, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for example in examples:
            errors = [error.message for error in validator.iter_errors(example)]
            assert not errors, (name, errors)
            count += 1
    assert count > 200


def test_every_operation_names_its_roles_and_its_statuses(spec):
    for method, path, operation in operations(spec):
        answered = set(operation["responses"])
        if "x-roles" in operation:
            assert all(f"`{role}`" in operation["description"] for role in operation["x-roles"])
            assert {"401", "403", "500", "503"} <= answered, (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "415", "422", "429"} <= answered, (method, path)
        if "_id}" in path:
            assert "404" in answered, (method, path)
        for status in answered & {"429", "503"}:
            assert "Retry-After" in operation["responses"][status]["headers"], (method, path)


def test_names_of_components_are_short_and_no_schema_has_a_title(spec):
    assert all(len(name) <= LONGEST_NAME and re.fullmatch(r"\w+", name) for name in spec["components"]["schemas"])
    assert not list(_titles(spec["components"]["schemas"]))


def _titles(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            yield schema["title"]
        for each in schema.values():
            yield from _titles(each)


def test_problem_types_and_event_types_are_enumerations(spec):
    schemas = spec["components"]["schemas"]
    assert schemas["ProblemType"]["enum"] == [each.uri for each in PROBLEM_TYPES]
    assert schemas["Problem"]["properties"]["type"] == {"$ref": "#/components/schemas/ProblemType"}
    assert schemas["EventType"]["enum"] == [each.name for each in EVENT_TYPES]
    assert set(spec["webhooks"]) == {each.name for each in EVENT_TYPES if each.goes_out}


def test_the_page_lists_every_problem_type(caller):
    page = caller(None).get("/docs/problems")
    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert all(f"<code>{each.uri}</code>" in page.text and f'id="{each.kind}"' in page.text for each in PROBLEM_TYPES)
    assert caller(None).get("/docs/assets/problems.css").status_code == 200


def test_a_webhook_sends_what_is_described(spec, sessions, settings, referral):
    cipher = IdentityCipher(settings.identity_keys)
    with sessions.begin() as session:
        destinations.put(session, Place("neurology", None, 0, "https://hospital.example/hooks"), cipher)
    referral("neurology")
    with sessions() as session:
        (payload,) = session.scalars(select(Delivery.payload))
    schema = closed({"$ref": "#/components/schemas/WebhookPayload"})
    Draft202012Validator({**schema, "components": closed(spec["components"])}).validate(payload)
