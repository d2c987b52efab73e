"""One referral: the patient, why it is here, which imaging is advised, what happened, and what may be done."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import NotFound

from services.api.access.recording import record_access
from services.api.console import words
from services.api.console.back_link import back_link, label
from services.api.console.blueprint import blueprint
from services.api.console.form_fields import SHOWN
from services.api.console.rows import Row, row
from services.api.console.session import signed_in
from services.api.console.trace import trace_of
from services.api.context import current_context
from services.api.http.auth import READERS, allow, caller, reader, scope
from services.api.http.problems import InvalidError, ProblemError
from services.api.referrals.worklists import LABELS
from services.api.schemas import serializers
from shared.clinical.referral.lifecycle import QUEUES, STATUSES
from shared.store import referrals
from shared.store.event_log.feed import catch_up, timeline
from shared.store.lists.worklist import worklist
from shared.store.referrals import StoredReferral

EVENTS = 200  # of a timeline that the page shows; the API has the rest in pages
SEES_IDENTITY = frozenset(READERS)


@blueprint.get("/referrals/<uuid:referral_id>")
@allow("auditor", *READERS)
def referral(referral_id: UUID) -> str:
    """Show a referral."""
    return referral_page(referral_id)


def referral_page(referral_id: UUID, **messages: Any) -> str:
    """Return the page of a referral, with what came of an action."""
    catch_up(current_context().sessions)
    with current_context().sessions() as session:
        stored = referrals.find(session, referral_id, scope())
        happened = stored and timeline(session, referral_id, replace(reader(), all_kinds=True), 0, limit=EVENTS)
        if stored is None:
            raise NotFound
        if _sees_identity():
            record_access(session, [stored.patient])
            session.commit()
    back, done = back_link(referral_id), words.DONE.get(request.args.get("done", ""))
    return render_template(
        "console/referral.html",
        row=row(stored, current_context().now()),
        back=back,
        back_label=label(back, dict(LABELS)) if back else None,
        done=done,
        next_case=_next_case(stored) if done else None,
        stored=stored,
        shown=_shown(stored),
        trace=trace_of(stored.record) if stored.record else None,
        events=[each.opened(current_context().cipher) for each in happened.events] if happened else [],
        more_events=bool(happened and not happened.ended),
        unanswered=unanswered(stored),
        other_holder=stored.status == "acknowledged" and stored.acknowledged_by != signed_in().name,
        queues=[name for name in QUEUES if name != stored.queue],
        labels=LABELS,
        open=STATUSES.index(stored.status) < STATUSES.index("completed"),
        now=current_context().now(),
        **messages,
    )


def page_with_problem(referral_id: UUID, action: str, problem: InvalidError | ProblemError) -> Response:
    """Return the page of a referral, which says why an action was refused; raise what it does not say."""
    if problem.status not in SHOWN:
        raise problem
    page = referral_page(referral_id, problem=problem, attempted=action, entered=request.form)
    return make_response(page, problem.status)


def unanswered(stored: StoredReferral) -> list[str]:
    """Return the questions, in the form's words, whose answers rules were missing; each once."""
    decided = serializers.decision(stored.record, stored.decided_at) or {"undetermined": []}
    return list(dict.fromkeys(label for rule in decided["undetermined"] for label in rule.get("labels", ())))


def _shown(stored: StoredReferral) -> dict[str, Any]:
    return serializers.referral(stored, current_context().cipher, with_patient=_sees_identity())


def _next_case(stored: StoredReferral) -> Row | None:
    """Return the most pressing case that nobody has acknowledged: of the urgent queue, else of this case's."""
    seen = [name for name in dict.fromkeys(("urgent", stored.queue)) if _sees(name)]
    with current_context().statements.connect() as connection:
        for name in seen:
            found = worklist(connection, name, "queued", scope(), limit=2, after=None)
            others = [each for each in found if each.id != stored.id]
            if others:
                return row(others[0], current_context().now())
    return None


def _sees(queue: str) -> bool:
    return caller().role != "department" or queue in caller().queues


def _sees_identity() -> bool:
    return caller().role in SEES_IDENTITY and signed_in().kind == "person"
