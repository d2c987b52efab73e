"""Sends the security headers on every answer."""

from flask import Flask, Response, request

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
