"""Records in the access log who was shown whose identity, and who was refused what."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from flask import Flask, Response, g, request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.api.access.actor import client_address
from services.api.context import current_context
from services.api.http.auth import caller
from services.api.http.problems import RETRY_AFTER_SECONDS, ProblemError, problem_response
from shared.store.access.access_log import Access, record_refused, record_shown
from shared.store.access.failed_authentications import key_name

log = structlog.get_logger(__name__)

REFUSED = (403, 404)


def register(app: Flask) -> None:
    """Record every refusal, and count every failed authentication."""
    app.after_request(_note)


def record_access(connection: Connection | Session, patients: Iterable[bytes]) -> None:
    """Record that this request's answer shows the identities of `patients`, given by their keyed hashes.

    To be called with the connection on which they were read: the record is in the same transaction where one is open.
    Where it cannot be stored, the error keeps the answer from being sent. An answer without patients is not recorded.
    """
    shown = list(patients)
    if shown:
        record_shown(connection, _access(200), shown)


def _note(response: Response) -> Response:
    if response.status_code == 401 or "guessed" in g:
        for name in (client_address(), *([key_name(g.failed_key_id)] if g.get("failed_key_id") else [])):
            current_context().failed_authentications.count(name, current_context().now())
    if response.status_code not in REFUSED or "key" not in g or request.url_rule is None:
        return response
    try:
        with current_context().statements.connect() as connection:
            record_refused(connection, _access(response.status_code))
    except SQLAlchemyError as error:
        log.error("access.unrecorded", error=type(error).__name__, status=response.status_code)
        return problem_response(ProblemError(503, headers={"Retry-After": RETRY_AFTER_SECONDS}))
    return response


def _access(status: int) -> Access:
    key = caller()
    return Access(
        key_id=key.id,
        person=g.get("person") or key.person,
        role=key.role,
        facility=key.facility,
        address=client_address(),
        request_id=g.request_id,
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "",
        status=status,
        referral_id=_named("referral_id"),
        intake_id=_named("intake_id"),
    )


def _named(name: str) -> UUID | None:
    value = (request.view_args or {}).get(name)
    return value if isinstance(value, UUID) else None
