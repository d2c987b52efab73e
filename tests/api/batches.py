"""Batches as a hospital system sends them, and their answers read again."""

import json
from copy import deepcopy
from typing import Any

from werkzeug.test import TestResponse

from tests.api.conftest import Caller
from tests.api.test_intakes import MINIMAL

PATH = "/v1/intakes/batch"
NDJSON = "application/x-ndjson"


def form(external_id: str | None = None, **symptoms: Any) -> dict[str, Any]:
    body = deepcopy(MINIMAL)
    body["symptoms"] |= symptoms
    return body | ({"encounter": {"external_id": external_id}} if external_id else {})


def line(key: str | None = None, external_id: str | None = None, **symptoms: Any) -> dict[str, Any]:
    """Return a line that is named by `key`, by `external_id`, or both."""
    return ({"idempotency_key": key} if key else {}) | {"form": form(external_id, **symptoms)}


def send(caller: Caller, content: bytes, **headers: str) -> TestResponse:
    return caller.send(PATH, content, **{"Content_Type": NDJSON, **headers})


def post(caller: Caller, *lines: dict[str, Any] | str) -> list[dict[str, Any]]:
    """Send the lines, those that are texts as they are; return what came of each."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    answer = send(caller, "".join(f"{each}\n" for each in texts).encode())
    assert (answer.status_code, answer.content_type) == (200, NDJSON)
    outcomes = outcomes_of(answer)
    assert [each["line"] for each in outcomes] == list(range(1, len(lines) + 1))
    return outcomes


def outcomes_of(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.text.endswith("\n")
    return [json.loads(each) for each in answer.text.splitlines()]


def statuses(outcomes: list[dict[str, Any]]) -> list[int]:
    return [each["status"] for each in outcomes]
