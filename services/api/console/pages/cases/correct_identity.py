"""Correcting whose referral it is: record number, birth date or names, of a closed one, too."""

from typing import Any, cast
from uuid import UUID

from flask import Response, redirect, request, url_for

from services.api.console.blueprint import blueprint
from services.api.console.form_fields import load_body, refuse_other_version
from services.api.console.pages.cases.referral import page_with_problem
from services.api.console.session import person
from services.api.http.auth import allow
from services.api.http.problems import InvalidError, ProblemError
from services.api.referrals.apply_correction import apply_correction
from services.api.referrals.identity_schemas import PARTS
from services.api.referrals.requests import CorrectIdentityBody

ACTION = "correct-identity"


@blueprint.post("/referrals/<uuid:referral_id>/correct-identity")
@allow("operator", "admin")
def correct_identity(referral_id: UUID) -> Response:
    """Correct what is filled in, and show the referral as it stands then."""
    try:
        after = apply_correction(referral_id, _body(), check=refuse_other_version)
    except (InvalidError, ProblemError) as problem:
        return page_with_problem(referral_id, ACTION, problem)
    return cast(Response, redirect(url_for("console.referral", referral_id=after.id, done=ACTION), 303))


def _body() -> Any:
    """Return the body as the API takes it; what is left empty stays as it is."""
    sent = {name: request.form.get(name, "").strip() for name in (*PARTS, "reason")}
    given = {name: value for name, value in sent.items() if value}
    reason = {"reason": given.pop("reason")} if "reason" in given else {}
    return load_body(CorrectIdentityBody(), {"by": person(), "patient": given, **reason})
