"""Answers every error as `application/problem+json` (RFC 9457), repeating nothing a sender or a driver said."""

import traceback
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import structlog
from flask import Flask, Response, g
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from werkzeug.exceptions import HTTPException

from services.api.http.responses import dump_json
from services.api.http.tracing import instance_of

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:psoas:problem:"
MAX_ERRORS = 20
RETRY_AFTER_SECONDS = "2"

log = structlog.get_logger(__name__)

# By status: the title, and what to say where only the status is known. Python's own phrases differ by version.
TITLES = {
    400: ("Bad request", "The request cannot be read."),
    401: ("Unauthorized", "A valid key is needed."),
    403: ("Forbidden", "This key may not do this."),
    404: ("Not found", "There is nothing here."),
    405: ("Method not allowed", "This method is not offered here."),
    408: ("Timeout", "The request did not arrive in time."),
    409: ("Conflict", "This contradicts what is stored."),
    412: ("Precondition failed", "This has changed since it was read."),
    413: ("Too large", "The body is larger than is taken here."),
    415: ("Unsupported media type", "Send application/json, in UTF-8."),
    422: ("Unprocessable", "Some of what was sent cannot be accepted."),
    429: ("Too many requests", "Too much comes from here at once. Please send again later."),
    500: ("Internal error", "Something went wrong here. It has been noted under the request id."),
    503: ("Unavailable", "The database is unavailable. Please send the same again, under the same Idempotency-Key."),
}


class ProblemError(Exception):
    """An error that is answered as a problem: its status, what is wrong, and members of its kind."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Name a `kind` where a program has to tell it from other problems of the same status."""
        self.status = status
        self.title, usual = TITLES[status]
        self.detail = detail or usual
        self.kind = kind or self.title.lower().replace(" ", "-")
        self.headers, self.members = headers or {}, members
        super().__init__(self.detail)


class InvalidError(ProblemError):
    """A body or query that was understood and refused; each error has a pointer (RFC 6901) and a detail."""

    def __init__(self, errors: Iterable[tuple[str, str]]) -> None:
        """Keep the first twenty distinct errors."""
        distinct = list(islice(_distinct(errors), MAX_ERRORS))
        listed = [{"pointer": pointer, "detail": detail} for pointer, detail in distinct]
        super().__init__(422, kind="validation", errors=listed)


def _distinct(errors: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each error once, as it is found: of thousands only the first few are ever looked for."""
    seen = set()
    for error in errors:
        if error not in seen:
            seen.add(error)
            yield error


def register(app: Flask) -> None:
    """Answer every error of the application as a problem."""
    app.register_error_handler(ProblemError, problem_response)
    app.register_error_handler(HTTPException, _answer_http)
    for away in (OperationalError, InterfaceError, NoConnectionError):
        app.register_error_handler(away, _answer_unavailable)
    app.register_error_handler(Exception, _answer_unexpected)


def problem_response(problem: ProblemError) -> Response:
    """Return the problem as a response."""
    return Response(dump_json(problem_content(problem)), problem.status, problem.headers, content_type=MEDIA_TYPE)


def problem_content(problem: ProblemError) -> dict[str, Any]:
    """Return the members of the problem, in the order in which a person reads them."""
    return {
        "type": TYPE + problem.kind,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": _instance(),
        "request_id": g.get("request_id"),
        **problem.members,
    }


def _instance() -> str:
    """Return the URN of the current request: a path may have a name in it."""
    if "instance" not in g:  # a batch has a problem a line
        g.instance = instance_of(g.get("request_id", ""))
    instance: str = g.instance
    return instance


def _answer_http(error: HTTPException) -> Response:
    response = problem_response(ProblemError(error.code if error.code in TITLES else 400))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _answer_unavailable(error: Exception) -> Response:
    log.error("database.unavailable", error=type(getattr(error, "orig", None) or error).__name__)
    return problem_response(ProblemError(503, headers={"Retry-After": RETRY_AFTER_SECONDS}))


def _answer_unexpected(error: Exception) -> Response:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _answer_unavailable(error)
    log.error("request.failed", error=type(error).__name__, where=_place_of(error))
    return problem_response(ProblemError(500))


def _place_of(error: Exception) -> str | None:
    """Return file and line where the error arose; its message and the values around it may tell of a patient."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
