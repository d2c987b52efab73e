"""A hospital's or a department's side of the API: plain HTTP, one connection a request."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

QUEUES = ("urgent", "neurology", "orthopedics", "clinical_review")
TIMEOUT_SECONDS = 10  # seconds; no request takes longer beyond the wait that it asked for


class UnansweredError(Exception):
    """No answer came: whether the request had an effect is unknown."""


@dataclass(frozen=True)
class Answer:
    """A status, the headers by lower-case name, and the JSON body."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Client:
    """Requests with one API key."""

    port: int
    key: str

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send and read one answer; raise UnansweredError when the connection breaks or nothing comes."""
        content = None if body is None else json.dumps(body)
        status, own, text = self._exchange(method, path, content, {"Content-Type": "application/json", **headers})
        return Answer(status, own, json.loads(text or b"null"))

    def post_batch(self, lines: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Return what came of each line, or of all of them; raise UnansweredError as for a single form."""
        content = "\n".join(json.dumps(line) for line in lines)
        status, own, text = self._exchange(
            "POST", "/v1/intakes/batch", content, {"Content-Type": "application/x-ndjson"}
        )
        if status != 200:
            return [Answer(status, own, json.loads(text))] * len(lines)
        outcomes = [json.loads(line) for line in text.splitlines()]
        return [Answer(each["status"], own, each.get("intake") or each["problem"]) for each in outcomes]

    def _exchange(
        self, method: str, path: str, content: str | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, content, {"Authorization": f"Bearer {self.key}", **sent})
            response = connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            raise UnansweredError(str(error)) from error
        finally:
            connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, text

    def get(self, path: str) -> Any:
        """Return the body of a GET that has to succeed, if need be by coming back when told to."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (answer := self.request("GET", path)).status == 503 and time.monotonic() < deadline:
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.status == 200, answer
        return answer.body

    def post_intake(self, body: dict[str, Any], **headers: str) -> Answer:
        return self.request("POST", "/v1/intakes", body, **headers)

    def worklist(self, queue: str) -> list[dict[str, Any]]:
        """Return every referral that is or was in `queue`, over all pages."""
        referrals: list[dict[str, Any]] = []
        query = {"status": "all", "limit": "200"}
        while True:
            page = self.get(f"/v1/queues/{queue}/referrals?{urlencode(query)}")
            referrals += page["referrals"]
            if page["next"] is None:
                return referrals
            query["cursor"] = page["next"]
