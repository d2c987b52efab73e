"""A batch as one JSON value: what its forms lead to is what the same lines lead to."""

import json

import pytest

from services.api.http.parsing.strict_json import MAX_BYTES
from services.api.intakes.parse_batch import MAX_LINES
from tests.api.batches import PATH, form, line, post
from tests.api.test_intakes import MINIMAL
from tests.api.test_problems import is_problem


def post_json(caller, *items):
    answer = caller.post(PATH, {"forms": list(items)})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    outcomes = answer.json["outcomes"]
    assert [each["line"] for each in outcomes] == list(range(1, len(items) + 1))
    return outcomes


def test_each_form_is_received_in_order_and_answered_with_its_name(submitter):
    first, second, third = post_json(submitter, line("k1", "E-1"), line("k2"), line(None, "E-3"))
    assert list(first) == ["line", "status", "intake", "idempotency_key"]
    assert [each["status"] for each in (first, second, third)] == [202, 202, 202]
    assert [each["idempotency_key"] for each in (first, second, third)] == ["k1", "k2", None]
    assert [first["intake"]["external_id"], third["intake"]["external_id"]] == ["E-1", "E-3"]
    assert submitter.get(first["intake"]["links"]["self"]).json["external_id"] == "E-1"


def test_it_leads_to_what_the_same_lines_lead_to(submitter):
    lines = [line("k1"), {"form": MINIMAL}, {"idempotency_key": "k\n", "form": MINIMAL}, 7, line("k5", onset="x")]
    of_lines = post(submitter, *lines)
    of_json = post_json(submitter, *lines)
    assert [each["status"] for each in of_lines] == [202, 422, 400, 400, 422]
    assert [each["status"] for each in of_json] == [202, 422, 400, 400, 422]
    assert of_json[0]["intake"] == of_lines[0]["intake"]
    assert of_json[0]["replayed"] is True
    assert [each["idempotency_key"] for each in of_json] == ["k1", None, None, None, "k5"]
    for one, other in zip(of_lines[1:], of_json[1:], strict=True):
        assert one["problem"]["type"] == other["problem"]["type"]
        assert one["problem"].get("errors") == other["problem"].get("errors")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ([], 422, ""),
        ({}, 422, "/forms"),
        ({"forms": {}}, 422, "/forms"),
        ({"forms": [], "x": 1}, 422, ""),
        ({"forms": []}, 400, None),
        ({"forms": [{}] * (MAX_LINES + 1)}, 413, None),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(submitter, body, status, pointer):
    answer = submitter.post(PATH, body)
    assert is_problem(answer, status)
    if pointer is not None:
        assert answer.json["errors"][0]["pointer"] == pointer


def test_a_form_that_is_too_long_is_refused_alone(submitter):
    long = {"idempotency_key": "long", "form": {**form(), "x": "y" * MAX_BYTES}}
    statuses = [each["status"] for each in post_json(submitter, long, line("k2"))]
    assert statuses == [413, 202]


def test_it_is_strict_json(submitter):
    content = json.dumps({"forms": [line("k1")]}).replace(
        '"idempotency_key"', '"idempotency_key": "k", "idempotency_key"'
    )
    assert is_problem(submitter.send(PATH, content.encode()), 400)
    assert submitter.get("/v1/intakes").json["intakes"] == []


def test_it_is_for_those_who_may_post(operator, caller):
    assert operator.post(PATH, {"forms": [line("k1")]}).status_code == 403
    assert caller("admin").post(PATH, {"forms": [line("k1")]}).status_code == 403
