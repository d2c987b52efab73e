"""Console sessions: the cookie, the session that it names, and the CSRF token that every form has to carry."""

import hashlib
import hmac
from typing import cast

from flask import Response, g, request

from services.api.console.blueprint import SignInNeededError
from services.api.context import current_context
from services.api.http.auth import caller
from services.api.http.problems import ProblemError
from shared.store.access import console_sessions
from shared.store.access.console_sessions import SignedIn
from shared.store.access.keys import Key

COOKIE, SECURE_COOKIE = "psoas_console", "__Host-psoas_console"
CSRF_FIELD = "csrf"
POLL_HEADER = "HX-PTag"  # sent by what refreshes a page by itself; it does not count as activity of the person
WALL = frozenset({"console.board", "console.sign_out"})  # all that a wall screen may do: no identity, no action
_SAME_ORIGIN = ("same-origin", "none")


def authenticate() -> Key:
    """Return the key of the session that the request's cookie names.

    Raises SignInNeededError where there is none, ProblemError 403 for a form that another site may have sent, and for
    what a wall screen does not do.
    """
    token = presented_token()
    with current_context().statements.connect() as connection:
        signed_in = console_sessions.find_session(connection, hash_key(), token) if token else None
        if signed_in and POLL_HEADER not in request.headers:
            console_sessions.record_seen(connection, signed_in.token_hash)
    key = current_context().keys.live(signed_in.key_id) if signed_in else None
    if signed_in is None or key is None:
        raise SignInNeededError
    g.signed_in, g.csrf, g.person = signed_in, _csrf_of(token), signed_in.name
    if signed_in.kind == "wall" and request.endpoint not in WALL:
        g.key = key
        raise ProblemError(403, "A wall screen shows the board alone. Sign out to use it otherwise.")
    if request.method == "POST":
        refuse_other_sites()
        if not hmac.compare_digest(request.form.get(CSRF_FIELD, "").encode(), g.csrf.encode()):
            raise ProblemError(403, "This page is out of date. Load it again, and repeat what you did.", kind="csrf")
    return key


def refuse_other_sites() -> None:
    """Raise ProblemError 403 for a request that a page of another site made.

    Over plain http, but from this machine, browsers send no Sec-Fetch-Site; every one says in Origin whose a form is.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = (None, f"http://{request.host}", f"https://{request.host}")
    if site not in _SAME_ORIGIN if site else origin not in ours:
        raise ProblemError(403, "This form came from another site.", kind="csrf")


def hash_key() -> bytes:
    """Return the key by which tokens are hashed: that of seals, or where the process has none, that of look-ups."""
    settings = current_context().settings
    return settings.chain_key or settings.lookup_key


def presented_token() -> str:
    """Return the token of the request's cookie, or nothing."""
    return request.cookies.get(_cookie_name(), "")


def signed_in() -> SignedIn:
    """Return the session of the current request."""
    return cast(SignedIn, g.signed_in)


def person() -> str:
    """Return the name of the person who acts; raises ProblemError 403 on a wall screen."""
    name = signed_in().name and (caller().person or signed_in().name)
    if name is None:
        raise ProblemError(403, "A wall screen can only be looked at.")
    return name


def set_cookie(response: Response, token: str, kind: str) -> None:
    """Give the browser the token of a new session."""
    lifetime = console_sessions.LIFETIMES[kind]
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=lifetime if kind == "wall" else None,  # a person's ends with the browser at the latest
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
        path="/",
    )


def clear_cookie(response: Response) -> None:
    """Have the browser forget the token."""
    response.delete_cookie(_cookie_name(), path="/", secure=request.is_secure, httponly=True, samesite="Strict")


def _cookie_name() -> str:
    return SECURE_COOKIE if request.is_secure else COOKIE


def _csrf_of(token: str) -> str:
    return hashlib.sha256(f"csrf {token}".encode()).hexdigest()
