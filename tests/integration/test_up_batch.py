"""A hospital catches up: a thousand forms in one request, over HTTP, and each ends in its queue."""

import json
import time
import urllib.request
from collections import Counter
from typing import Any

from tests.cases import cases
from tests.referrals import Up, request

LINES = 1_000
DRAIN_SECONDS = 60


def post_batch(running: Up, key: str, content: bytes) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    asked = urllib.request.Request(f"{running.url}/v1/intakes/batch", content, headers)  # noqa: S310 - our own service
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
        return [json.loads(line) for line in answer]


def open_in_each_queue(running: Up, key: str) -> dict[str, int]:
    return {each["name"]: each["open"] for each in request(f"{running.url}/v1/queues", key)[1]["queues"]}


def test_a_thousand_forms_at_once_end_in_their_queues(running: Up, keys: dict[str, str]) -> None:
    chosen = [cases()[number % len(cases())] for number in range(LINES)]
    lines = [
        json.dumps({"idempotency_key": f"catch-up-{number}", "form": case.body(f"MRN-{number}")})
        for number, case in enumerate(chosen)
    ]
    content = "\n".join(lines).encode()
    outcomes = post_batch(running, keys["submitter"], content)
    assert Counter(each["status"] for each in outcomes) == {202: LINES}
    lanes = ["priority" if case.expected["queue"] == "urgent" else "routine" for case in chosen]
    assert [each["intake"]["lane"] for each in outcomes] == lanes
    deadline = time.monotonic() + DRAIN_SECONDS
    while sum(open_in_each_queue(running, keys["operator"]).values()) < LINES and time.monotonic() < deadline:
        time.sleep(0.2)
    assert open_in_each_queue(running, keys["operator"]) == Counter(case.expected["queue"] for case in chosen)
    for outcome, case in list(zip(outcomes, chosen, strict=True))[::97]:
        decision = request(running.url + outcome["intake"]["links"]["self"], keys["submitter"])[1]["decision"]
        assert (decision["queue"], decision["priority"]) == (case.expected["queue"], case.expected["priority"])
    again = post_batch(running, keys["submitter"], content)
    assert all(each["replayed"] for each in again)
    assert [each["intake"]["id"] for each in again] == [each["intake"]["id"] for each in outcomes]
