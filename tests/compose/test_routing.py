"""Forms go where they belong, through nginx, the API, the workers and back to a worklist."""

import pytest

from tests.cases import Case, cases
from tests.driver.client import QUEUES, Client
from tests.driver.forms import form_for, form_of

from .stack import Stack

COMPARED = ("queue", "priority", "red_flags", "pattern", "imaging_status", "cautions", "evidence", "incomplete")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_an_example_case_is_decided_as_written(submitter: Client, operator: Client, case: Case) -> None:
    answer = submitter.post_intake(form_of(case, mrn=f"case-{case.name}"), prefer="wait=5")

    assert answer.status == 200, answer
    decision = answer.body["decision"]
    assert {name: decision[name] for name in COMPARED} == {name: case.expected[name] for name in COMPARED}
    assert [
        {name: item[name] for name in ("study", "within", "instead_of")} for item in decision["imaging"]
    ] == case.expected["imaging"]
    referral = operator.get(answer.body["referral"]["links"]["self"])
    assert (referral["queue"], referral["status"]) == (case.expected["queue"], "queued")


@pytest.mark.parametrize("queue", QUEUES)
def test_a_form_reaches_the_worklist_of_each_queue(submitter: Client, operator: Client, queue: str) -> None:
    mrn = f"queue-{queue}"
    posted = submitter.post_intake(form_for(queue, mrn), prefer="wait=5")

    assert posted.status == 200, posted
    assert [entry["intake_id"] for entry in operator.worklist(queue) if entry["patient"]["mrn"] == mrn] == [
        posted.body["id"]
    ]
    counted = {entry["name"]: entry["open"] for entry in operator.get("/v1/queues")["queues"]}
    assert counted[queue] >= 1


def test_without_a_key_nothing_is_taken(stack: Stack) -> None:
    answer = Client(stack.port, "rk_nobody_nothing").post_intake(form_for("urgent", "stranger"))

    assert answer.status == 401
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_metrics_are_not_for_the_outside(submitter: Client) -> None:
    assert submitter.request("GET", "/metrics").status == 404


def test_a_body_too_large_for_the_proxy_is_refused_in_the_apis_words(submitter: Client) -> None:
    answer = submitter.request("POST", "/v1/intakes", {"free_text": "x" * 300_000})

    assert answer.status == 413
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_batch_may_be_larger_than_a_form_and_its_lines_may_not(submitter: Client) -> None:
    line = {"idempotency_key": "long", "form": {"encounter": {"free_text": "x" * 300_000}}}
    answer = submitter.request("POST", "/v1/intakes/batch", line, Content_Type="application/x-ndjson")

    assert (answer.status, answer.body["line"], answer.body["status"]) == (200, 1, 413)


def test_who_guesses_secrets_is_told_so_by_a_batch_too(stack: Stack, submitter: Client) -> None:
    guessing = Client(stack.port, f"{submitter.key.rpartition('_')[0]}_{'0' * 64}")
    line = {"idempotency_key": "guessed", "form": form_for("urgent", "guessed")}

    answers = [
        guessing.request("POST", "/v1/intakes/batch", line, Content_Type="application/x-ndjson") for _ in range(12)
    ]

    assert (answers[0].status, answers[-1].status) == (401, 429)
    assert answers[-1].headers["content-type"].startswith("application/problem+json")
    assert int(answers[-1].headers["retry-after"]) > 0
    valid = submitter.request("POST", "/v1/intakes/batch", line, Content_Type="application/x-ndjson")
    assert (valid.status, valid.body["status"]) == (200, 202)
