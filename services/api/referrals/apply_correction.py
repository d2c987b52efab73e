"""Applies a correction of an identity in one transaction, for the API and for the console."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from werkzeug.exceptions import NotFound

from services.api.access.actor import event_actor
from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http.auth import scope
from services.api.referrals.answering.birth_date import version_for_birth_date
from services.api.referrals.answering.new_version import count_and_log
from services.api.referrals.identity_correction import corrections
from shared.platform.task_queues import delivery_wake_up
from shared.store import referrals
from shared.store.access.scope import Scope
from shared.store.event_log.events import DueDelivery
from shared.store.patients import identities
from shared.store.referrals import StoredReferral


def apply_correction(
    referral_id: UUID, body: dict[str, Any], *, check: Callable[[StoredReferral], None]
) -> StoredReferral:
    """Correct every version of a referral's form; return the referral, or the one that a new birth date made of it.

    `check` refuses the referral where the caller has read another version of it.
    """
    due: list[DueDelivery] = []
    with current_context().sessions.begin() as session:
        chain = identities.hold_chain(session, referral_id, scope())
        before = referrals.find_to_change(session, referral_id, scope())
        if before is None:
            raise NotFound
        check(before)
        changed = corrections(current_context(), chain, before.intake_id, body["patient"], body["reason"])
        due = identities.correct(session, changed, by=body["by"], actor=event_actor())
        made = version_for_birth_date(current_context(), session, changed, referral_id, body)
        shown = made.outcome.referral_id if made else referral_id
        after = referrals.find(session, shown, Scope.everything()) or before
        record_access(session, [after.patient])
    if made:
        count_and_log(made)
        due += made.due
    for delivery in due:
        current_context().announce(delivery_wake_up(delivery.id, delivery.queue))
    return after
