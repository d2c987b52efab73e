"""Sending a tried form as a test intake, into a registered facility of kind `test`."""

from typing import Any, cast
from uuid import UUID

from flask import Response, redirect, render_template, url_for
from werkzeug.exceptions import NotFound

from services.api.console.blueprint import blueprint
from services.api.context import current_context
from services.api.http.auth import allow, scope
from services.api.http.problems import ProblemError
from services.api.intakes.accept import accept_intake
from shared.store import intakes
from shared.store.access import facilities

HOW_TO_ADD = (
    "No test facility is open to your key. An administrator adds one: referrals facilities add NAME --kind test"
)


def test_facilities() -> list[str]:
    """Return the open test facilities that the caller may send into, by name."""
    with current_context().sessions() as session:
        found = facilities.list_all(session)
    seen = (each for each in found if each.kind == facilities.TEST and each.closed_at is None)
    return [each.name for each in seen if scope().facility in (None, each.name)]


def send_test_intake(body: dict[str, Any], facility: str) -> Response:
    """Accept a form as an intake of a test facility, and lead to what becomes of it."""
    offered = test_facilities()
    if not offered:
        raise ProblemError(409, HOW_TO_ADD)
    if facility not in offered:
        raise ProblemError(422, "Choose one of the test facilities.")
    accepted = accept_intake(current_context(), body, None, facility=facility)
    return cast(Response, redirect(url_for("console.test_intake", intake_id=accepted.receipt.id), 303))


@blueprint.get("/try/sent/<uuid:intake_id>")
@allow("department", "operator", "admin")
def test_intake(intake_id: UUID) -> Response | str:
    """Show that a test intake was sent, and link to its referral once it is decided."""
    with current_context().statements.connect() as connection:
        found = intakes.find(connection, intake_id, scope())
    if found is None or found.facility not in test_facilities():
        raise NotFound
    return render_template("console/test_intake.html", intake=found)
