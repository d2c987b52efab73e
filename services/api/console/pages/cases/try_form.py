"""Trying a form: the decision it leads to, with its trace and the curl command; stored as a test intake on demand."""

import json
import shlex
from typing import Any

from flask import Response, make_response, render_template, request

from services.api.console import words
from services.api.console.blueprint import blueprint
from services.api.console.form_fields import body_of
from services.api.console.pages.cases.test_intake import HOW_TO_ADD, send_test_intake, test_facilities
from services.api.console.trace import trace_of
from services.api.context import current_context
from services.api.forms.receive_form import read_form
from services.api.http.auth import allow
from services.api.http.problems import InvalidError, ProblemError
from services.api.schemas import serializers
from shared.clinical.triage import triage


@blueprint.get("/try")
@allow("department", "operator", "admin")
def try_form() -> str:
    """Show an empty form."""
    return _page({"patient.mrn": "TEST-1", "patient.birth_date": "1980-01-01"})


@blueprint.post("/try")
@allow("department", "operator", "admin")
def try_decision() -> Response:
    """Show what triage decides of the form, or send it as a test intake."""
    body = body_of(request.form, current_context().protocol.form)
    now = current_context().now()
    try:
        form = read_form(current_context(), body, now).form
    except InvalidError as problem:
        wrong = {error["pointer"].lstrip("/").replace("/", "."): error["detail"] for error in problem.members["errors"]}
        return make_response(_page(request.form, wrong=wrong), 422)
    if "send" in request.form:
        try:
            return send_test_intake(body, request.form.get("facility", ""))
        except ProblemError as problem:
            if problem.status not in (409, 422):
                raise
            return make_response(_page(request.form, problem=problem), problem.status)
    record: dict[str, Any] = triage(form, current_context().protocol).record()
    decision = serializers.decision(record, now)
    tried = {
        "decision": decision,
        "trace": trace_of(record),
        "imaging": words.imaging_line(record["imaging"], record["imaging_status"]),
        "curl": _curl(body),
    }
    return make_response(_page(request.form, **tried))


def _page(entered: Any, **shown: Any) -> str:
    sections = current_context().protocol.form.sections
    return render_template(
        "console/try.html",
        sections=sections,
        entered=entered,
        facilities=test_facilities(),
        how_to_add=HOW_TO_ADD,
        **{"wrong": {}, "problem": None, **shown},
    )


def _curl(body: dict[str, Any]) -> str:
    """Return the command by which a program posts this form; the key is the reader's to fill in."""
    sent = shlex.quote(json.dumps(body))
    return (
        "curl -sS -H 'Authorization: Bearer KEY' -H 'Content-Type: application/json' -H 'Prefer: wait=5' "
        f"-d {sent} {request.host_url}v1/intakes"
    )
