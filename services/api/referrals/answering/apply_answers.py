"""Stores answers to an open case, and the confirmation of a lower place: one transaction each, with their wake-ups."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from werkzeug.exceptions import NotFound

from services.api.access.actor import event_actor
from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http.auth import scope
from services.api.http.problems import ProblemError
from services.api.referrals.actions import status_after
from services.api.referrals.answering.new_version import change_of, count_and_log, make_version
from services.api.referrals.answering.own_place import own_place
from services.api.referrals.answering.requests import read_answers
from shared.clinical.triage import triage
from shared.platform.task_queues import delivery_wake_up
from shared.store import referrals
from shared.store.access.scope import Scope
from shared.store.answers import hold_case, put_in_own_place, source_form
from shared.store.event_log.events import DueDelivery
from shared.store.referrals import StoredReferral

Check = Callable[[StoredReferral], None]


def apply_answers(referral_id: UUID, body: dict[str, Any], *, check: Check, shown: bool = True) -> StoredReferral:
    """Make a new version of the form with the answers of `body`, triage it, and return its open referral.

    `check` raises where the caller has seen another version. The same transaction records that the caller sees the
    identity, unless the answer does not show it.
    """
    context = current_context()
    answers = read_answers(context.protocol.form, body["answers"], context.now())
    with context.sessions.begin() as session:
        case = hold_case(session, referral_id, scope())
        if case is None:
            raise NotFound
        check(case.referral)
        status_after("answer", case.referral)
        source = source_form(session, case.referral.intake_id)
        made = make_version(context, session, case, change_of(source, answers, by=body["by"], note=body["note"]))
        after = referrals.find(session, made.outcome.referral_id, Scope.everything()) or case.referral
        if shown:
            record_access(session, [after.patient])
    count_and_log(made)
    _announce(made.due)
    return after


def apply_lower_place(referral_id: UUID, body: dict[str, Any], *, check: Check, shown: bool = True) -> StoredReferral:
    """Queue the referral where its own form puts it; raise ProblemError 409 where no lower place is proposed."""
    context = current_context()
    with context.sessions.begin() as session:
        case = hold_case(session, referral_id, scope())
        if case is None:
            raise NotFound
        check(case.referral)
        status_after("confirm-downgrade", case.referral)
        if not case.referral.downgrade_proposed:
            raise ProblemError(409, "No lower place is proposed for this referral.", kind="nothing-proposed")
        own = own_place(context, source_form(session, case.referral.intake_id), case)
        event = {"by": body["by"], "reason": body["reason"], "actor": event_actor()}
        due = put_in_own_place(session, case, own, event, cipher=context.cipher)
        after = referrals.find(session, referral_id, Scope.everything()) or case.referral
        if shown:
            record_access(session, [after.patient])
    _announce(due)
    return after


def decide_with(stored: StoredReferral, answers: dict[str, Any]) -> dict[str, Any]:
    """Return the record of the decision that a referral's form would lead to with more answers; stores nothing."""
    context = current_context()
    read = read_answers(context.protocol.form, answers, context.now())
    with context.sessions() as session:
        source = source_form(session, stored.intake_id)
    record: dict[str, Any] = triage(change_of(source, read, by="", note=None).form, context.protocol).record()
    return record


def _announce(due: Sequence[DueDelivery]) -> None:
    for delivery in due:
        current_context().announce(delivery_wake_up(delivery.id, delivery.queue))
