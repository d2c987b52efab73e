"""The documents: OpenAPI as committed and as served, the form as JSON Schema, the protocol, and the page."""

import copy
import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.api.openapi import routes as docs
from services.api.openapi.generator import COMMITTED, document, written
from shared.protocols import active
from tests.api.test_authentication import MAY, OPEN
from tests.api.test_form_values import REFUSED, TAKEN, form
from tests.api.test_intakes import MINIMAL
from tests.api.test_referrals import ACTIONS
from tests.cases import case_for

VENDOR = docs.STATIC / "vendor"
# What a JSON Schema of one form cannot say: which moment lies ahead, which day never was.
BEYOND_A_SCHEMA = {"2026-11-24T09:31:00Z", "9999-12-31T23:59:59-14:00"}


def test_the_committed_document_is_the_generated_one(app):
    assert COMMITTED.read_text() == written(app)


def test_the_document_is_openapi_3_1(app):
    spec = document(app)
    assert spec["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(spec).iter_errors()) == []


def test_the_document_describes_every_route(caller):
    spec = caller(None).get("/openapi.json").json
    assert spec == json.loads(COMMITTED.read_text())
    described = {(method.upper(), path) for path, methods in spec["paths"].items() for method in methods}
    plain = {(method, re.sub(r"<(?:uuid:)?(\w+)>", r"{\1}", rule)) for method, rule in MAY}
    health = {("GET", path) for path in OPEN if path.startswith("/health")}
    assert {pair for pair in described if pair[0] != "PARAMETERS"} == plain | health


def closed(schema):
    """Return a schema under which a member that is not described is an error."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return (
        {"additionalProperties": False, **inner} if "properties" in inner and inner.get("type") == "object" else inner
    )


def conforms(spec, answer, method, template):
    """Say whether an answer is one that the document describes, with no member more."""
    described = spec["paths"][template][method]["responses"]
    response = described.get(str(answer.status_code)) or described["default"]
    if "$ref" in response:
        response = spec["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    assert answer.content_type in response["content"]
    schema = {**response["content"][answer.content_type]["schema"], "components": spec["components"]}
    problem = answer.content_type == "application/problem+json"
    Draft202012Validator(schema if problem else closed(schema)).validate(answer.json)
    return True


def test_answers_are_as_described(app, submitter, operator, referral):
    spec = document(app)
    body, one = case_for("urgent").body(), referral("neurology")
    posted = submitter.post("/v1/intakes", body)
    assert conforms(spec, posted, "post", "/v1/intakes")
    assert conforms(spec, submitter.post("/v1/intakes", {}), "post", "/v1/intakes")
    assert conforms(spec, submitter.post("/v1/intakes/batch", {}), "post", "/v1/intakes/batch")
    assert conforms(spec, submitter.get(posted.headers["Location"]), "get", "/v1/intakes/{intake_id}")
    assert conforms(spec, submitter.get(one["links"]["intake"]), "get", "/v1/intakes/{intake_id}")
    assert conforms(spec, submitter.post("/v1/triage/preview", body), "post", "/v1/triage/preview")
    assert conforms(spec, submitter.post("/v1/triage/preview", MINIMAL), "post", "/v1/triage/preview")
    assert conforms(spec, operator.get("/v1/queues"), "get", "/v1/queues")
    for query in ("", "?limit=0"):
        answer = operator.get(f"/v1/queues/neurology/referrals{query}")
        assert conforms(spec, answer, "get", "/v1/queues/{queue}/referrals")
    for reader in (submitter, operator):
        assert conforms(spec, reader.get(one["links"]["self"]), "get", "/v1/referrals/{referral_id}")
    form = operator.get(f"{one['links']['self']}/form")
    assert conforms(spec, form, "get", "/v1/referrals/{referral_id}/form")
    for action in ("acknowledge", "contacted", "release", "complete"):
        answer = operator.post(f"{one['links']['self']}/{action}", ACTIONS[action])
        assert conforms(spec, answer, "post", f"/v1/referrals/{{referral_id}}/{action}")
    assert conforms(spec, operator.get(one["links"]["events"]), "get", "/v1/referrals/{referral_id}/events")
    for path in ("/health/live", "/health/ready", "/v1/form", "/v1/protocol"):
        assert conforms(spec, operator.get(path), "get", path)


@pytest.fixture(scope="module")
def form_schema(app):
    spec = document(app)
    schema = {"$ref": "#/components/schemas/Form", "components": spec["components"]}
    Draft202012Validator.check_schema(spec["components"]["schemas"]["Form"])
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_form_is_a_json_schema_with_titles_help_and_codes(submitter, form_schema):
    served = submitter.get("/v1/form").json
    schemas = form_schema.schema["components"]["schemas"]
    posted = dict(schemas["Form"]["properties"])
    assert posted.pop("amends")["anyOf"] == [{"type": "string", "format": "uuid"}, {"type": "null"}]
    assert posted.keys() == served["properties"].keys()
    for section, described in served["properties"].items():
        component = schemas[f"Form{section.title().replace('_', '')}"]
        assert component["properties"].keys() == described["properties"].keys()
        for name, field in described["properties"].items():
            assert component["properties"][name]["description"] == f"{field['title']}\n\n{field['description']}"
    assert served["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    fields = {name: field for section in served["properties"].values() for name, field in section["properties"].items()}
    assert fields.keys() == active().form.fields.keys()
    assert all(field["title"] and field["description"] for field in fields.values())
    assert fields["pain_score"]["x-codes"] == {"loinc": ["72514-3"]}
    assert fields["onset"]["x-answers"]["sudden"] == "Suddenly, worst within 24 hours"


@pytest.mark.parametrize(("section", "name", "value"), TAKEN, ids=repr)
def test_the_schema_takes_what_the_door_takes(section, name, value, form_schema):
    if (name, value) != ("submitted_at", "2026-11-23T09:00-05:00"):  # ISO 8601 without seconds; the schema has RFC 3339
        form_schema.validate(form(section, name, value))


@pytest.mark.parametrize(("section", "name", "value"), REFUSED, ids=repr)
def test_the_schema_refuses_what_the_door_refuses(section, name, value, form_schema):
    if value not in BEYOND_A_SCHEMA if isinstance(value, str) else True:
        assert not form_schema.is_valid(form(section, name, value))


def test_the_schema_refuses_unknown_keys_at_every_depth(form_schema):
    assert form_schema.is_valid(MINIMAL)
    for place in ([], ["patient"], ["symptoms"]):
        body = copy.deepcopy(MINIMAL)
        inner = body
        for key in place:
            inner = inner[key]
        inner["unknown"] = 1
        assert not form_schema.is_valid(body)


def test_the_protocol_is_told_in_plain_words(submitter):
    protocol = submitter.get("/v1/protocol").json
    assert {key: protocol[key] for key in ("name", "version", "digest")} == active().identity
    rules = {rule["id"]: rule for rule in protocol["rules"]}
    assert rules.keys() == active().rules.keys()
    assert len([rule for rule in rules.values() if rule["origin"] == "seed"]) == 3
    for rule in rules.values():
        assert rule["flag"].startswith("RF_")
        assert rule["why"]
        assert rule["condition"]
        assert rule["citation"]
    assert protocol["targets"]["classes"]["emergency"]["acknowledge_minutes"] == 10


def test_the_page_loads_nothing_from_elsewhere(caller):
    answer = caller(None).get("/docs")
    assert answer.headers["Content-Security-Policy"] == docs.CONTENT_SECURITY_POLICY
    assert "unsafe" not in docs.CONTENT_SECURITY_POLICY
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert all(path.startswith("/docs/assets/") for path in loaded if path != "data:,")
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=", answer.text)
    for path in loaded:
        if path != "data:,":
            assert caller(None).get(path).status_code == 200
    assert "immutable" not in caller(None).get("/docs/assets/docs.js").headers["Cache-Control"]


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "vendor", ""])
def test_the_page_gives_out_nothing_else(path, caller):
    assert caller(None).get(f"/docs/assets/{path}").status_code == 404


@pytest.mark.parametrize("folder", sorted(VENDOR.iterdir()), ids=lambda folder: folder.name)
def test_what_is_vendored_is_what_was_published(folder: Path):
    vendored = tomllib.loads((folder / "VENDOR.toml").read_text())
    files = {file.name for file in folder.iterdir()} - {"VENDOR.toml"}
    assert folder.name.endswith(f"@{vendored['version']}")
    assert vendored["licence"]
    assert files == vendored["sha256"].keys()
    for name, digest in vendored["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
