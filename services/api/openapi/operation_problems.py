"""Says which problems each operation answers with: what all have in common, and what is its own."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.api.http.problems import MEDIA_TYPE
from services.api.openapi.problem_types import BY_KIND, LATER, PROBLEM_TYPES, ProblemType, title_of

_ACTION = ("not-you", "conflict", "transition-forbidden", "precondition-failed", "not-found")
_STORED = ("facility-closed", "storage-low")
# What an operation answers with beside what follows from its role, body and parameters.
OWN = {
    "post_intake": (
        *_STORED,
        *("nothing-to-amend", "other-patient", "names-differ", "external-id-taken"),
        *("idempotency-key", "idempotency-key-reused"),
    ),
    "post_batch": (*_STORED, "empty-batch"),
    "preview": (),
    "get_worklist": ("not-found",),
    "acknowledge": (*_ACTION, "held-by-another"),
    "complete": _ACTION,
    "reroute": (*_ACTION, "same-queue"),
    "give_back": _ACTION,
    "release": _ACTION,
    "take_over": (*_ACTION, "held-by-another"),
    "answer": (*_ACTION, "identity-unreadable"),
    "confirm_downgrade": (*_ACTION, "nothing-proposed"),
    "contacted": (*_ACTION, "already-contacted"),
    "correct_identity": (*_ACTION, "identity-unreadable"),
    "get_ask_next": ("busy",),
    "get_feed": ("bad-request", "too-many-streams"),
    "retry_delivery": ("not-parked",),
    "ready": ("unavailable",),
}
_BODY = (
    *("bad-request", "not-strict-json", "timeout", "too-large", "unsupported-media-type", "validation"),
    *("too-many-incomplete-bodies", "busy"),
)
_KEYED = ("unauthorized", "forbidden", "rate-limit", "too-many-wrong-keys", "internal-error", "unavailable")


def problem_responses(name: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the responses of an operation that are problems, by status."""
    kinds = dict.fromkeys(_kinds(name, path, operation))
    by_status: dict[int, list[ProblemType]] = {}
    for kind in kinds:
        for status in BY_KIND[kind].statuses:
            by_status.setdefault(status, []).append(BY_KIND[kind])
    return {str(status): _response(status, by_status[status]) for status in sorted(by_status)}


def _kinds(name: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    if "x-roles" in operation:
        yield from _KEYED
    if "requestBody" in operation:
        yield from _BODY
    if "422" in operation["responses"]:
        yield "validation"
    if "_id}" in path:
        yield "not-found"
    yield from OWN.get(name, ())


def _response(status: int, kinds: list[ProblemType]) -> dict[str, Any]:
    """Describe the problems of one status, with an example of each."""
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{each.kind}`: {each.meaning}" for each in kinds),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {each.kind: {"$ref": f"#/components/examples/{each.kind}"} for each in kinds},
            }
        },
    }
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = {"description": "`Bearer`.", "schema": {"type": "string"}}
    if status in (429, 503) and any(each.retry == LATER for each in kinds):
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
    return response | ({"headers": headers} if headers else {})


def problem_examples() -> dict[str, Any]:
    """Return an example of each kind of problem."""
    return {each.kind: {"summary": each.meaning, "value": problem_example(each)} for each in PROBLEM_TYPES}


def problem_example(problem: ProblemType) -> dict[str, Any]:
    """Return a problem of this kind as it is answered."""
    members: dict[str, Any] = {}
    if "errors" in problem.members:
        members["errors"] = [{"pointer": "/symptoms/onset", "detail": "Not one of the answers."}]
    return {
        "type": problem.uri,
        "title": title_of(problem),
        "status": problem.statuses[0],
        "detail": problem.meaning,
        "instance": "/v1/intakes",
        "request_id": "7c2a4a39e9f04d0f8a8f5e0b6f1f2d11",
        **members,
    }
