"""Authenticates and authorises requests: every route names its roles, and a route that names none is closed.

Keys are scoped: a key with a facility sees that facility alone, whatever its role; a department's its own queues.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import structlog
from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import NotFound

from services.api.context import current_context
from services.api.http.client_address import client_address
from services.api.http.problems import ProblemError
from services.api.limits.guessing import failed_authentication
from services.api.schemas.serializers import HIDDEN_FROM_SENDERS, WORDS
from shared.store.access.keys import Key
from shared.store.access.scope import Scope
from shared.store.event_log.feed import Reader
from shared.tables import WITHOUT_FACILITY

PUBLIC = frozenset(
    {
        *(
            "docs.home",
            "docs.openapi",
            "docs.page",
            "docs.problem_types",
            "docs.asset",
            "health.live",
            "health.ready",
            "metrics.metrics",
        ),
        *("console.asset", "console.sign_in", "console.open_session", "console.sign_on", "console.signed_on"),
    }
)
SESSIONS = "psoas-sessions"
READERS = ("department", "operator", "admin")  # who reads and works referrals

View = TypeVar("View", bound=Callable[..., Any])


def allow(*roles: str) -> Callable[[View], View]:
    """Name the roles that may call a view; `admin` has to be named like the others."""

    def name(view: View) -> View:
        view.__dict__["roles"] = frozenset(roles)
        return view

    return name


def register(app: Flask, sessions: Mapping[str, Callable[[], Key]] | None = None) -> None:
    """Check the key of every request before anything else looks at it.

    `sessions` has, by blueprint, what returns the key of a request that shows a session instead of a key.
    """
    app.extensions[SESSIONS] = sessions or {}
    app.before_request(_check)


def caller() -> Key:
    """Return the key of the current request."""
    return cast(Key, g.key)


def scope() -> Scope:
    """Return what the caller's key may see."""
    key = caller()
    if key.role == "department":
        return Scope(key.facility, key.queues)
    if key.facility is not None:
        return Scope.of_facility(key.facility)
    if key.role in WITHOUT_FACILITY:
        return Scope.everything()
    raise ProblemError(403, "This key belongs to no facility.")  # the database has no such key


def reader() -> Reader:
    """Return which events the caller's key may see; its facility's, or those of all but the tests."""
    key = caller()
    return Reader(key.facility, as_sender=key.role == "submitter")


def hidden_in_events() -> frozenset[str]:
    """Return the members of an event's data that the caller may not see."""
    return {"auditor": WORDS, "submitter": HIDDEN_FROM_SENDERS}.get(caller().role, frozenset())


def still_authorized() -> Callable[[], bool]:
    """Return a function that says, also after this request, whether the caller's key still opens as it did.

    A database that is unavailable closes nobody out.
    """
    keys, presented, role = current_context().keys, _presented(), caller().role

    def opens() -> bool:
        try:
            key = keys.find(presented)
        except SQLAlchemyError:
            return True
        return key is not None and key.role == role

    return opens


def own_facility() -> str:
    """Return the facility for which the caller posts; a key without one, or of a closed one, gets 403."""
    facility = caller().facility
    if facility is None:
        raise ProblemError(403, "This key belongs to no facility, so it cannot post intakes.")
    if caller().closed:
        raise ProblemError(
            403, "The facility of this key is closed: it can read, and not post.", kind="facility-closed"
        )
    return facility


def _check() -> None:
    if request.routing_exception is not None or request.endpoint in PUBLIC:
        return
    if request.endpoint is None:
        raise NotFound
    roles = getattr(current_app.view_functions[request.endpoint], "roles", frozenset[str]())
    key = current_app.extensions[SESSIONS].get(request.blueprint, _presented_key)()
    g.key = key
    structlog.contextvars.bind_contextvars(key_id=key.id)
    if key.role not in roles:
        raise ProblemError(403, f"The role {key.role} may not do this.")


def _presented_key() -> Key:
    key = current_context().keys.find(_presented())
    if key is None:
        address = client_address(request, current_context().settings.trusted_proxies)
        raise failed_authentication(current_context(), _presented(), address)
    return key


def _presented() -> str:
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    return presented.strip() if scheme.lower() == "bearer" else ""
