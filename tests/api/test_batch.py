"""Many forms in one request: each line leads to what a single post of it would lead to."""

import json
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import func, select

from services.api.http.parsing.strict_json import MAX_BYTES
from services.api.intakes.parse_batch import MAX_LINES
from services.api.openapi.generator import document
from shared.tables import IdempotencyKey, Intake
from tests.api.batches import NDJSON, PATH, form, line, outcomes_of, post, send, statuses
from tests.api.test_documents import closed
from tests.api.test_idempotency import age, stored, stored_as
from tests.api.test_intakes import MINIMAL
from tests.api.test_problems import TRACE, is_problem
from tests.cases import case_for

NOBODY = "0197c9a0-0000-7000-8000-000000000000"
RED, ROUTINE = case_for("urgent").body(), case_for("orthopedics", "routine").body()


def problem_of(outcome):
    assert list(outcome) == ["line", "status", "problem"]
    assert outcome["problem"]["status"] == outcome["status"]
    return outcome["problem"]["type"].removeprefix("urn:psoas:problem:")


def test_each_line_is_received_in_order(submitter):
    first, second = post(submitter, line("k1", "E-1"), {"idempotency_key": "k2", "form": RED})
    assert list(first) == ["line", "status", "intake"]
    assert first["status"] == second["status"] == 202
    assert list(first["intake"]) == ["id", "external_id", "status", "lane", "received_at", "notes", "links"]
    assert (first["intake"]["external_id"], second["intake"]["lane"]) == ("E-1", "priority")
    for outcome in (first, second):
        intake = submitter.get(outcome["intake"]["links"]["self"]).json
        assert {name: intake[name] for name in ("id", "external_id", "status", "lane", "received_at", "notes")} == {
            name: value for name, value in outcome["intake"].items() if name != "links"
        }


def test_a_line_is_stored_as_a_single_post_stores_it(submitter, sessions):
    single = submitter.post("/v1/intakes", RED, X_Request_ID="r1", traceparent=TRACE).json["id"]
    content = json.dumps({"idempotency_key": "k1", "form": RED}).encode()
    (batched,) = outcomes_of(send(submitter, content, X_Request_ID="r1", traceparent=TRACE))
    own = {"id", "identity", "received_at"}
    columns = [column for column in Intake.__table__.columns if column.name not in own]
    with sessions() as session:
        rows = {
            str(row.id): row[1:] for row in session.execute(select(Intake.id, *columns).select_from(Intake.__table__))
        }
    assert rows[single] == rows[batched["intake"]["id"]]


def test_every_line_ends_in_its_queue(submitter, operator, triage_all):
    outcomes = post(submitter, {"idempotency_key": "k1", "form": RED}, {"idempotency_key": "k2", "form": ROUTINE})
    triage_all()
    queues = [submitter.get(each["intake"]["links"]["self"]).json["referral"]["queue"] for each in outcomes]
    assert queues == ["urgent", "orthopedics"]
    (referral,) = operator.get("/v1/queues/urgent/referrals").json["referrals"]
    assert referral["patient"]["mrn"] == "MRN-1"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n \n"])
def test_lines_may_end_as_they_like(end, submitter, sessions):
    content = "\r\n".join(json.dumps(line(f"k{number}")) for number in range(3)) + end
    assert statuses(outcomes_of(send(submitter, content.encode()))) == [202] * 3
    assert stored(sessions) == 3


REFUSED = {
    "no JSON": ('{"form": ', 400, "not-strict-json"),
    "blank": ("", 400, "not-strict-json"),
    "a key twice": ('{"form": {}, "form": {}}', 400, "not-strict-json"),
    "NaN": ('{"form": NaN}', 400, "not-strict-json"),
    "too long": (json.dumps(line("k9")) + " " * MAX_BYTES, 413, "too-large"),
    "no object": ("[]", 400, "invalid-line"),
    "no form": ('{"idempotency_key": "k9"}', 400, "invalid-line"),
    "a bare form": (MINIMAL, 400, "invalid-line"),
    "another member": (line("k9") | {"wait": 5}, 400, "invalid-line"),
    "an empty key": (line() | {"idempotency_key": ""}, 400, "idempotency-key"),
    "a key that is a number": (line() | {"idempotency_key": 9}, 400, "idempotency-key"),
    "a key with a space": (line("k 9"), 400, "idempotency-key"),
    "no name": (line(), 422, "missing-idempotency-key"),
    "null for a name": (line() | {"idempotency_key": None}, 422, "missing-idempotency-key"),
    "a form that is none": ({"idempotency_key": "k9", "form": [1]}, 422, "validation"),
    "a wrong answer": (line("k9", onset="never"), 422, "validation"),
    "nothing to amend": ({"idempotency_key": "k9", "form": MINIMAL | {"amends": NOBODY}}, 404, "nothing-to-amend"),
}


@pytest.mark.parametrize(("bad", "status", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_line_is_refused_and_the_others_are_stored(bad, status, kind, submitter, sessions):
    outcomes = post(submitter, line("k1"), bad, line("k2"))
    assert statuses(outcomes) == [202, status, 202]
    assert problem_of(outcomes[1]) == kind
    assert stored(sessions) == 2
    assert statuses(post(submitter, line("k9"))) == [202]  # the name of a refused line stays free


def test_a_lines_problem_is_that_of_a_single_post(submitter):
    wrong = form("E-1", onset="never", onsett="sudden")
    single = submitter.post("/v1/intakes", wrong, X_Request_ID="r1").json
    (batched,) = outcomes_of(send(submitter, json.dumps({"form": wrong}).encode(), X_Request_ID="r1"))
    assert batched["problem"] == single
    assert [error["pointer"] for error in single["errors"]] == ["/symptoms/onset", "/symptoms/onsett"]


def test_what_a_batch_itself_is_refused_for_stores_nothing(submitter, caller, sessions):
    content, bare = json.dumps(line("k1")).encode(), json.dumps(MINIMAL).encode()
    padded = content + b"\n" + b" " * (8 * 2**20)
    assert is_problem(send(submitter, b""), 400)
    assert is_problem(send(submitter, b"\n \n\n"), 400)
    assert is_problem(send(submitter, (content + b"\n") * (MAX_LINES + 1)), 413)
    assert is_problem(send(submitter, padded), 413)
    assert is_problem(send(submitter, content, Content_Type="text/plain"), 415)
    assert is_problem(send(submitter, content, Content_Encoding="gzip"), 415)
    assert is_problem(submitter.send("/v1/intakes", bare, Content_Type=NDJSON), 415)
    assert is_problem(send(caller(None), content), 401)
    assert is_problem(send(caller("operator"), content), 403)
    assert is_problem(send(caller("admin"), content), 403)
    assert is_problem(submitter.get(PATH), 405)
    assert stored(sessions) == 0


def test_a_thousand_lines_are_a_batch(submitter, sessions):
    outcomes = post(submitter, *(line(f"k{number}", f"E-{number}") for number in range(MAX_LINES)))
    assert {each["status"] for each in outcomes} == {202}
    assert [each["intake"]["external_id"] for each in outcomes] == [f"E-{number}" for number in range(MAX_LINES)]
    assert stored(sessions) == MAX_LINES


NAMES = {"keys": ("k", None), "external ids": (None, "E"), "both": ("k", "E")}


@pytest.mark.parametrize(("key", "external_id"), NAMES.values(), ids=NAMES.keys())
def test_a_batch_sent_twice_is_stored_once(key, external_id, submitter, sessions, triage_all):
    lines = [line(key and f"{key}{number}", external_id and f"{external_id}{number}") for number in range(50)]
    first, second = post(submitter, *lines), post(submitter, *lines)
    assert second == [{**each, "replayed": True} for each in first]
    triage_all()
    third = post(submitter, *lines)
    assert [(each["status"], each["replayed"], each["intake"]["status"]) for each in third] == [
        (200, True, "triaged")
    ] * 50
    assert [each["intake"]["id"] for each in third] == [each["intake"]["id"] for each in first]
    assert stored(sessions) == 50


@pytest.mark.parametrize(("key", "external_id"), NAMES.values(), ids=NAMES.keys())
def test_a_name_is_the_same_singly_and_in_a_batch(key, external_id, submitter, sessions):
    headers = {"Idempotency_Key": key} if key else {}
    single = submitter.post("/v1/intakes", form(external_id), **headers)
    (batched,) = post(submitter, line(key, external_id))
    assert (batched["replayed"], batched["intake"]) == (True, single.json)
    again = submitter.post("/v1/intakes", form(external_id), **headers)
    assert (again.headers["Idempotency-Replayed"], again.json) == ("true", batched["intake"])
    (other,) = post(submitter, line(key, external_id, onset="sudden"))
    assert (other["status"], problem_of(other)) == (
        (422, "idempotency-key-reused") if key else (409, "external-id-taken")
    )
    assert other["problem"]["intake_id"] == single.json["id"]
    assert stored(sessions) == 1


def test_names_within_a_batch_count_as_if_its_lines_came_one_by_one(submitter, caller, sessions):
    lines = [
        *(line("k1", "E-1"), line("k1", "E-1"), line("k1", "E-1", onset="sudden"), line("k1"), line(None, "E-1")),
        *(line("k2", "E-1"), line("k2"), line("k3", "E-1", onset="sudden"), line("k3"), line("k3")),
        *(line("k4", "E-4"), line("k1", "E-4"), line(None, "E-4"), line("k5", "E-4"), line("k5", "E-5")),
    ]
    batched = post(submitter, *lines)
    neighbour = caller("submitter", facility="city")
    for each, outcome in zip(lines, batched, strict=True):
        key = {"Idempotency_Key": each["idempotency_key"]} if "idempotency_key" in each else {}
        single = neighbour.post("/v1/intakes", each["form"], **key)
        assert outcome["status"] == single.status_code
        assert ("replayed" in outcome) == ("Idempotency-Replayed" in single.headers)
        assert outcome.get("problem", {}).get("type") == single.json.get("type")
    assert {202, 409, 422} == set(statuses(batched))
    assert stored(sessions) == 2 * sum("intake" in each and "replayed" not in each for each in batched) == 6


def test_a_new_key_for_a_known_external_id_is_remembered(submitter):
    submitter.post("/v1/intakes", form("E-1"))
    (first,) = post(submitter, line("late", "E-1"))
    assert first["replayed"] is True
    assert problem_of(post(submitter, line("late", "E-2"))[0]) == "idempotency-key-reused"


def test_a_key_that_is_too_old_names_a_new_intake(submitter, sessions):
    (first,) = post(submitter, line("k1"))
    age(sessions, timedelta(days=8))
    (second,) = post(submitter, line("k1"))
    assert "replayed" not in second
    assert second["intake"]["id"] != first["intake"]["id"]


def test_the_scope_of_names_is_the_facility(submitter, caller, sessions):
    post(submitter, line("k1", "E-1"))
    assert "replayed" not in post(caller("submitter", facility="city"), line("k1", "E-1"))[0]
    assert stored(sessions) == 2


def test_a_line_may_amend_what_was_stored_before(submitter, operator, triage_all, sessions):
    (first,) = post(submitter, {"idempotency_key": "k1", "form": RED})
    triage_all()
    amended = RED | {"amends": first["intake"]["id"]}
    outcomes = post(
        submitter,
        {"idempotency_key": "k1", "form": RED},
        *({"idempotency_key": "k2", "form": amended}, {"idempotency_key": "k2", "form": amended}),
    )
    assert [each.get("replayed") for each in outcomes] == [True, None, True]
    triage_all()
    new = operator.get(submitter.get(outcomes[1]["intake"]["links"]["self"]).json["referral"]["links"]["self"]).json
    old = operator.get(new["links"]["supersedes"]).json
    assert (old["intake_id"], old["status"]) == (first["intake"]["id"], "superseded")
    assert stored(sessions) == 2


def test_only_lines_that_are_stored_remember_their_keys(submitter, sessions):
    post(submitter, line("k1", "E-1"), line("k2", "E-1", onset="sudden"), line("k3", onset="never"))
    with sessions() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == [stored_as("k1")]
        assert session.scalar(select(func.count()).select_from(Intake)) == 1


def test_each_lane_with_something_new_is_announced_once(submitter, broker):
    lines = [{"idempotency_key": f"{number}", "form": RED if number % 2 else ROUTINE} for number in range(20)]
    post(submitter, *lines)
    for lane in ("priority", "routine"):
        assert broker.blpop(f"triage.{lane}", timeout=5)
    post(submitter, *lines)
    assert broker.keys("triage.*") == []


def test_the_answer_is_as_described(app, submitter):
    spec = document(app)
    described = spec["paths"][PATH]["post"]
    post(submitter, line("k1"))
    outcomes = post(submitter, line("k1"), line("k2", "E-2"), line("k3", onset="never"), "[")
    answered = described["responses"]["200"]["content"][NDJSON]["schema"] | {"components": spec["components"]}
    for outcome in outcomes[:2]:
        Draft202012Validator(closed(answered)).validate(outcome)
    for outcome in outcomes[2:]:
        Draft202012Validator(answered).validate(outcome)
    asked = described["requestBody"]["content"][NDJSON]["schema"] | {"components": spec["components"]}
    for taken in (line("k1"), line(None, "E-1"), line() | {"idempotency_key": None}):
        Draft202012Validator(asked).validate(taken)
    assert not Draft202012Validator(asked).is_valid(MINIMAL)
