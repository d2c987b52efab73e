"""Gives each request its id, echoes it, and writes one log line when the request is answered."""

import re
import time
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from flask import Flask, Response, g, request
from uuid_utils.compat import uuid4

from shared.platform.tracing.traces import tracer

log = structlog.get_logger(__name__)

NAMED = ("intake_id", "referral_id")  # what a path may name, and a log line too

_SHORT = re.compile(r"[A-Za-z0-9-]{1,16}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def register(app: Flask) -> None:
    """Name every request; registered first, so that every other handler can log the request id."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_end_span)


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = request_id_for(request.headers.get("X-Request-ID", ""))
    trace = request.headers.get("traceparent", "")
    g.traceparent = trace if _TRACEPARENT.fullmatch(trace) else None
    named = {name: str(value) for name, value in (request.view_args or {}).items() if name in NAMED}
    if g.traceparent:
        named["traceparent"] = g.traceparent
    g.span_block = tracer().span(
        f"{request.method} {request.url_rule.rule if request.url_rule else 'unknown'}",
        kind="SERVER",
        parent=g.traceparent,
        attributes={"http.request.method": request.method, "psoas.request_id": g.request_id},
    )
    g.span = g.span_block.__enter__()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id, **named)


def request_id_for(sent: str) -> str:
    """Return the sender's request id where it cannot carry a name or a record number of any length, else a new one."""
    return sent if _SHORT.fullmatch(sent) or _UUID.fullmatch(sent) else str(uuid4())


def instance_of(request_id: str) -> str:
    """Return the URN of the request, for problems; of an id that is no UUID the UUID derived from it (version 5)."""
    found = UUID(request_id) if _UUID.fullmatch(request_id) else uuid5(NAMESPACE_URL, f"urn:psoas:request:{request_id}")
    return found.urn


def continued_trace() -> str | None:
    """Return the traceparent by which what follows from the current request continues its trace."""
    traceparent: str | None = g.span.traceparent or g.traceparent
    return traceparent


def _end_span(error: BaseException | None) -> None:
    block = g.pop("span_block", None)
    if block is None:
        return
    if error is not None:
        g.span.fail(type(error).__name__)
    block.__exit__(None, None, None)


def _end(response: Response) -> Response:
    g.span.set(http_response_status_code=response.status_code)
    response.headers["X-Request-ID"] = g.request_id
    if g.traceparent:
        response.headers["traceparent"] = g.traceparent
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        duration_ms=round((time.perf_counter() - g.began) * 1000, 2),
    )
    return response
