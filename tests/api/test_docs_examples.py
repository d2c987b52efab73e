"""What `/docs` offers to try can be posted as it stands, and `/` leads there."""

import json

import pytest
from jsonschema import Draft202012Validator

from services.api.openapi.examples import batch_lines
from services.api.openapi.generator import document
from services.api.referrals import requests
from shared.protocols import ACTIVE, cases
from tests.api.batches import send
from tests.api.test_referrals import ACTIONS

POSTED = ("/v1/intakes", "/v1/triage/preview")


def examples(app, path):
    return document(app)["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]


def test_the_bare_address_leads_to_the_console_and_from_there_to_its_sign_in(caller):
    answer = caller(None).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console")
    signed_out = caller(None).get("/console")
    assert (signed_out.status_code, signed_out.headers["Location"]) == (303, "/console/sign-in?next=/console")
    assert caller(None).get(signed_out.headers["Location"]).status_code == 200


@pytest.mark.parametrize("path", POSTED)
def test_a_form_of_each_queue_is_offered_and_taken(path, app, submitter):
    expected = {case["id"]: case["expect"]["queue"] for case in cases(ACTIVE)}
    offered = examples(app, path)
    assert {expected[name] for name in offered} == set(expected.values())
    for name, example in offered.items():
        assert example["summary"].startswith(f"{expected[name]}: ")
        answer = submitter.post(path, example["value"])
        assert answer.status_code in (200, 202), answer.json
    assert submitter.post("/v1/triage/preview", offered["V01"]["value"]).json["decision"]["queue"] == "urgent"


def test_the_lines_of_a_batch_are_taken(app, submitter):
    content = document(app)["paths"]["/v1/intakes/batch"]["post"]["requestBody"]["content"]
    assert content["application/x-ndjson"]["example"] == batch_lines()[0]
    answer = send(submitter, "".join(f"{json.dumps(line)}\n" for line in batch_lines()).encode())
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [202, 202]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_offered_in_nobodys_name(action, app):
    spec = document(app)
    path = f"/v1/referrals/{{referral_id}}/{action}"
    schema = spec["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    described = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]["properties"]
    offered = {name: field["example"] for name, field in described.items() if "example" in field}
    assert offered["by"] == requests.ByPerson().fields["by"].metadata["example"] == "Example (write your own name)"
    Draft202012Validator({"properties": described}).validate(offered)


def test_what_is_offered_for_a_referral_is_understood(app, referral, operator):
    """Whether the referral is in a state for it is another matter: 409."""
    for path, operations in document(app)["paths"].items():
        if path.startswith("/v1/referrals/{referral_id}/") and "post" in operations:
            offered = operations["post"]["requestBody"]["content"]["application/json"]["example"]
            answer = operator.post(path.format(referral_id=referral("urgent")["id"]), offered)
            assert answer.status_code in (200, 409), (path, answer.json)
