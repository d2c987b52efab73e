"""Forms to post: the protocol's example cases, each post with a record number and an external id of its own."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[1] / "shared/protocols/failed-slr/2026.2.0/cases.json"
NAME = "@" * 24  # where a post's own name goes; of fixed length, so that the length of the request is known before
BATCH = "@" * 16  # and the name of its batch, which eight digits follow

# A tenth of what arrives is urgent, far more than in any clinic: red flags are never the cheap case.
ROUTINE_OF_TEN = 9


@dataclass(frozen=True, slots=True)
class Forms:
    """Bodies by where they end: in the urgent queue, or in another."""

    urgent: tuple[dict[str, Any], ...]
    routine: tuple[dict[str, Any], ...]

    def mixed(self) -> list[dict[str, Any]]:
        """Return bodies of which one in ten is urgent."""
        routine = itertools.cycle(self.routine)
        return [body for urgent in self.urgent for body in (*itertools.islice(routine, ROUTINE_OF_TEN), urgent)]


def example_forms(year: int) -> Forms:
    """Return the example cases as they are sent in `year`, by which their ages become birth dates."""
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    bodies = [(case["expect"]["queue"] == "urgent", _body(case, year)) for case in cases]
    return Forms(
        urgent=tuple(body for urgent, body in bodies if urgent),
        routine=tuple(body for urgent, body in bodies if not urgent),
    )


def posts(bodies: Sequence[dict[str, Any]], key: str, name: str) -> Iterator[bytes]:
    """Yield whole requests to post the bodies, in turn for ever; `name` keeps a run's ids apart from another's."""
    templates = [_post(body, key) for body in bodies]
    for number, template in enumerate(itertools.cycle(templates)):
        yield template.replace(NAME.encode(), f"{name}-{number}".rjust(len(NAME), "0").encode())


def batches(bodies: Sequence[dict[str, Any]], key: str, name: str, size: int) -> Iterator[bytes]:
    """Yield whole requests to post `size` forms at once, as `posts` does one by one."""
    numbered = zip(range(size), itertools.cycle(bodies), strict=False)
    lines = (json.dumps({"form": body}).replace(NAME, f"{BATCH}{number:08}") for number, body in numbered)
    template = post("/v1/intakes/batch", key, "\n".join(lines).encode(), "application/x-ndjson")
    for number in itertools.count():
        yield template.replace(BATCH.encode(), f"{name}-{number}".rjust(len(BATCH), "0").encode())


def get(path: str, key: str) -> bytes:
    """Return the request that reads `path`."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def post(path: str, key: str, body: bytes, media_type: str = "application/json") -> bytes:
    """Return the request that posts `body` to `path`."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _post(body: dict[str, Any], key: str) -> bytes:
    return post("/v1/intakes", key, json.dumps(body).encode())


def _body(case: dict[str, Any], year: int) -> dict[str, Any]:
    form = case["form"]
    return {
        **form,
        "encounter": {**form["encounter"], "external_id": NAME},
        "patient": {
            **form["patient"],
            "mrn": NAME,
            "family_name": "Example",
            "given_name": "Alex",
            "birth_date": f"{year - case['age_years']:04d}-01-01",
        },
    }
