"""The requests in docs/api.http do what their headings say."""

import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "api.http"
STATUS = {
    "Post a red flag and wait for its decision": 200,
    "A new version of that form: calmer, so it keeps the place of the first and says so": 200,
    "Forms that were written during an outage, a line each; every line needs an idempotency_key or an external_id": 200,
    "What triage would decide, without storing anything": 200,
    "A misspelt key is refused by its pointer": 422,
    "The form, as a JSON Schema": 200,
    "The rules, in plain words": 200,
    "How the queues stand": 200,
    "The urgent worklist": 200,
    "Acknowledge its first referral": 200,
    "Whom to call back, and what was sent; the reading is recorded": 200,
    "Say how the call ended": 200,
    "Move it to neurology: out of urgent only with a reason, and confirmed": 200,
    "What happened to it": 200,
    "What happened at all, from the first event; `next` is the `after` of the next page": 200,
    "What a department's own system was not told": 200,
    "Whether requests can be served": 200,
}
REQUEST = re.compile(r"^(GET|POST) \{\{host\}\}(\S+)$", re.MULTILINE)


def examples():
    """Yield heading, method, path, role, media type and body of every example."""
    for block in EXAMPLES.read_text().split("\n### ")[1:]:
        head, _, body = block.partition("\n\n")
        method, path = REQUEST.search(head).groups()
        role, media_type = (re.search(each, head) for each in (r"Bearer \{\{(\w+)\}\}", "Content-Type: (.+)"))
        yield block.splitlines()[0], method, path, role and role[1], media_type and media_type[1], body


def test_every_example_has_a_heading_that_is_expected():
    assert [heading for heading, *_ in examples()] == list(STATUS)


@pytest.fixture
def roles(submitter, operator, caller):
    return {"submitter": submitter, "operator": operator, None: caller(None)}


def test_the_examples_in_their_order(roles, triage_all):
    referral = intake = ""
    for heading, method, path, role, media_type, body in examples():
        triage_all()
        path, content = path.replace("{{referral}}", referral), body.replace("{{intake}}", intake).encode()
        is_post = method == "POST"
        answer = roles[role].send(path, content, Content_Type=media_type) if is_post else roles[role].get(path)
        expected = 202 if path == "/v1/intakes" and STATUS[heading] == 200 else STATUS[heading]  # nothing waits here
        assert (heading, answer.status_code) == (heading, expected)
        intake = intake or answer.json["id"]
        if heading == "The urgent worklist":
            first, *_ = answer.json["referrals"]
            assert first["downgrade_proposed"]
            referral = first["links"]["self"]
