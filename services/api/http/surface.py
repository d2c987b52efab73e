"""Sends the security headers on every answer, and decides which request ids of senders are kept."""

import re
from uuid import NAMESPACE_URL, UUID, uuid5

from flask import Flask, Response, request
from uuid_utils.compat import uuid4

HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Server", "api"),  # instead of the server's own name, which tells an attacker what to try
    ("Cache-Control", "no-store"),  # identity stays out of every cache
)
STRICT_TRANSPORT = "max-age=31536000"  # a year, for this host alone: what its subdomains serve is not known here

_SHORT = re.compile(r"[A-Za-z0-9-]{1,16}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")


def register(app: Flask) -> None:
    """Add the headers to every answer that has no value of its own for them, as pages have."""
    app.after_request(add_headers)


def add_headers(response: Response) -> Response:
    """Send what keeps a browser from running, framing or caching an answer."""
    headers = response.headers
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - iterating yields pairs
    for name, value in HEADERS:
        if name.lower() not in present:
            headers.add_header(name, value)
    if request.is_secure:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    return response


def request_id_for(sent: str) -> str:
    """Return the sender's request id where it cannot carry a name or a record number of any length, else a new one."""
    return sent if _SHORT.fullmatch(sent) or _UUID.fullmatch(sent) else str(uuid4())


def instance_of(request_id: str) -> str:
    """Return the URN of the request, for problems; of an id that is no UUID the UUID derived from it (version 5)."""
    found = UUID(request_id) if _UUID.fullmatch(request_id) else uuid5(NAMESPACE_URL, f"urn:psoas:request:{request_id}")
    return found.urn
