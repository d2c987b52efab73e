"""Calling back: who waits for a telephone call, what to ask, where the answers would lead, and how the call ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.exceptions import NotFound

from services.api.access.recording import record_access
from services.api.console import words
from services.api.console.blueprint import blueprint
from services.api.console.form_fields import SHOWN, answers_in, refuse_other_version
from services.api.console.rows import Row, row
from services.api.console.session import person
from services.api.console.words import TAGS, PriorityTag
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, scope
from services.api.http.problems import InvalidError, ProblemError
from services.api.referrals.answering.apply_answers import apply_answers, decide_with
from services.api.referrals.answering.requests import AnswersBody
from services.api.referrals.contact.sent_form import sent_form
from services.api.referrals.worklists import LABELS
from services.api.schemas import serializers
from shared.clinical.fields import Field
from shared.clinical.form import Form
from shared.clinical.referral.lifecycle import OPEN_STATUSES, PRIORITIES
from shared.store import referrals
from shared.store.answers import answers_of
from shared.store.contact import forms
from shared.store.contact.call_list import waiting_for_call
from shared.store.contact.forms import StoredForm
from shared.store.referrals import StoredReferral

ROWS = 50


@dataclass(frozen=True, slots=True)
class Call:
    """A case that waits for a call: its line, and whom to call in which language."""

    row: Row
    contact: dict[str, Any]
    completed_by: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question to be asked, and where each of its answers leads."""

    field: Field
    leads: list["Lead"]


@dataclass(frozen=True, slots=True)
class Lead:
    """Where one answer leads."""

    answer: str
    tag: PriorityTag
    queue: str


@blueprint.get("/call-back")
@allow(*READERS)
def call_back() -> str:
    """Show who waits for a call, and of the chosen case what to ask."""
    return _page(_chosen())


@blueprint.post("/call-back/<uuid:referral_id>/preview")
@allow(*READERS)
def preview_answers(referral_id: UUID) -> Response | str:
    """Show where the case would go with the answers that are typed; stores nothing."""
    stored = _find(referral_id)
    try:
        shown = {"preview": _preview(stored)}
    except InvalidError as problem:
        shown = {"wrong": _wrong(problem)}
    if "HX-Request" in request.headers:
        return render_template("console/preview.html", **{"preview": None, "wrong": {}, **shown})
    return make_response(_page(referral_id, **shown), 422 if "wrong" in shown else 200)


@blueprint.post("/call-back/<uuid:referral_id>/answers")
@allow(*READERS)
def save_answers(referral_id: UUID) -> Response:
    """Save the answers as a new version of the form, and show where the case stands then."""
    try:
        after = apply_answers(referral_id, _body(), check=refuse_other_version, shown=False)
    except (InvalidError, ProblemError) as problem:
        if problem.status not in SHOWN:
            raise
        wrong = _wrong(problem) if isinstance(problem, InvalidError) else {}
        return make_response(_page(referral_id, problem=problem, wrong=wrong), problem.status)
    if caller().role == "department" and after.queue not in caller().queues:
        return _see_other(url_for("console.call_back", moved=after.reference))
    return _see_other(url_for("console.call_back", case=after.id, done="answers"))


def _page(referral_id: UUID | None, **shown: Any) -> str:
    now = current_context().now()
    with current_context().sessions() as session:
        waiting = list(waiting_for_call(session.connection(), scope(), limit=ROWS + 1))
        more = len(waiting) > ROWS
        chosen = referrals.find(session, referral_id, scope()) if referral_id else None
        if referral_id and chosen is None:
            raise NotFound
        listed = waiting[:ROWS]
        sent = forms.find_all(session, {each.id for each in (*listed, *([chosen] if chosen else []))})
        calls = [_call(each, sent[each.id], now) for each in listed]
        patients = [each.patient for each in listed] + ([chosen.patient] if chosen else [])
        record_access(session, dict.fromkeys(patients))
        session.commit()
    if chosen:
        questions, busy = _questions(chosen)
        shown = {"case": _call(chosen, sent[chosen.id], now), "questions": questions, "busy": busy} | shown
        shown["patient"] = serializers.referral(chosen, current_context().cipher)["patient"]
        shown["open"] = chosen.status in OPEN_STATUSES
        shown["proposed"] = chosen.downgrade_proposed
    return render_template(
        "console/call_back.html",
        **{"case": None, "preview": None, "wrong": {}, "problem": None, **shown},
        calls=calls,
        more=more,
        entered=request.form,
        done=request.args.get("done", ""),
        moved=words.reference_in(request.args.get("moved", "")),
        now=now,
        labels=LABELS,
    )


def _chosen() -> UUID | None:
    case = request.args.get("case")
    try:
        return UUID(case) if case else None
    except ValueError:
        raise NotFound from None


def _find(referral_id: UUID) -> StoredReferral:
    with current_context().statements.connect() as connection:
        stored = referrals.find(connection, referral_id, scope())
    if stored is None:
        raise NotFound
    return stored


def _call(stored: StoredReferral, form: StoredForm, now: datetime) -> Call:
    sent = sent_form(form, current_context())
    completed_by = next((each["text"] for each in sent["answers"] if each["field"] == "encounter.completed_by"), "")
    return Call(row(stored, now), sent["contact"], completed_by)


def _questions(chosen: StoredReferral) -> tuple[list[Question], str | None]:
    """Return what to ask next, in order of what it can change, and why that is not known now."""
    context = current_context()
    with context.statements.connect() as connection:
        answers = answers_of(connection, chosen.id, scope())
    try:
        asked = context.ask_next.of(Form.of(answers), context.protocol) if answers else []
    except ProblemError as problem:
        return [], problem.detail
    return [_question(context.protocol.form.by_path[each["field"]], each["answers"]) for each in asked], None


def _question(field: Field, answers: dict[str, dict[str, Any]]) -> Question:
    return Question(
        field,
        [
            Lead(str(field.values.get(answer, answer)), TAGS[where["priority"]], LABELS[where["queue"]])
            for answer, where in answers.items()
        ],
    )


def _preview(stored: StoredReferral) -> dict[str, Any]:
    """Return where the typed answers would lead, or that none is typed."""
    answers = answers_in(request.form, current_context().protocol.form)
    if not answers:
        return {"nothing": True}
    record = decide_with(stored, answers)
    then, now = PRIORITIES.index(record["priority"]), stored.priority
    return {
        "tag": words.TAGS[record["priority"]],
        "queue": LABELS[record["queue"]],
        "headline": record["headline"],
        "imaging": words.imaging_line(record["imaging"], record["imaging_status"]),
        "change": "higher" if then < now else "lower" if then > now else "same",
        "same_queue": record["queue"] == stored.queue,
        "now": words.TAGS[PRIORITIES[now]].word,
    }


def _body() -> dict[str, Any]:
    """Return the body of the API's action from the fields of the page's form."""
    answers = answers_in(request.form, current_context().protocol.form)
    note = request.form.get("note", "").strip()
    try:
        body = AnswersBody().load({"by": person(), "answers": answers, **({"note": note} if note else {})})
    except ValidationError as error:
        wrong = cast(dict[str, list[str]], error.messages)
        raise InvalidError((f"/{name}", detail) for name, details in wrong.items() for detail in details) from None
    return cast(dict[str, Any], body)


def _wrong(problem: InvalidError) -> dict[str, str]:
    """Return what is wrong, by the path of the field."""
    return {each["pointer"].removeprefix("/answers/"): each["detail"] for each in problem.members["errors"]}


def _see_other(address: str) -> Response:
    return cast(Response, redirect(address, 303))
