"""The requests in docs/api.http do what their headings say."""

import json
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "api.http"
STATUS = {
    "Post a red flag and wait for its decision": 200,
    "A new version of that form: calmer, so it keeps the place of the first and says so": 200,
    "What triage would decide, without storing anything": 200,
    "A misspelt key is refused by its pointer": 422,
    "The form, as a JSON Schema": 200,
    "The rules, in plain words": 200,
    "How the queues stand": 200,
    "The urgent worklist": 200,
    "Acknowledge its first referral": 200,
    "Move it to neurology: out of urgent only with a reason, and confirmed": 200,
    "What happened to it": 200,
    "What happened at all, from the first event; `next` is the `after` of the next page": 200,
    "What a department's own system was not told": 200,
    "Whether requests can be served": 200,
}
REQUEST = re.compile(r"^(GET|POST) \{\{host\}\}(\S+)$", re.MULTILINE)


def examples():
    """Yield heading, method, path, role and body of every example."""
    for block in EXAMPLES.read_text().split("\n### ")[1:]:
        method, path = REQUEST.search(block).groups()
        role = re.search(r"Bearer \{\{(\w+)\}\}", block)
        body = re.search(r"\n\n(\{.*\})\s*$", block, re.DOTALL)
        yield block.splitlines()[0], method, path, role and role[1], body and json.loads(body[1])


def test_every_example_has_a_heading_that_is_expected():
    assert [heading for heading, *_ in examples()] == list(STATUS)


@pytest.fixture
def roles(submitter, operator, caller):
    return {"submitter": submitter, "operator": operator, None: caller(None)}


def test_the_examples_in_their_order(roles, triage_all):
    referral = intake = ""
    for heading, method, path, role, body in examples():
        triage_all()
        path = path.replace("{{referral}}", referral)
        if body and "amends" in body:
            body["amends"] = body["amends"].replace("{{intake}}", intake)
        answer = roles[role].post(path, body) if method == "POST" else roles[role].get(path)
        expected = 202 if path == "/v1/intakes" and STATUS[heading] == 200 else STATUS[heading]  # nothing waits here
        assert (heading, answer.status_code) == (heading, expected)
        intake = intake or answer.json["id"]
        if heading == "The urgent worklist":
            (only,) = answer.json["referrals"]
            assert only["downgrade_proposed"]
            referral = answer.json["referrals"][0]["links"]["self"]
