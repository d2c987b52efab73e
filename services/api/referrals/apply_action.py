"""Applies an action to a referral: one transaction, the event that says so, and the wake-ups of its deliveries."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from werkzeug.exceptions import NotFound

from services.api.access.actor import event_actor
from services.api.access.recording import record_access
from services.api.context import current_context
from services.api.http.auth import scope
from services.api.referrals.actions import ReferralChange
from shared.platform.task_queues import delivery_wake_up
from shared.store import referrals
from shared.store.access.scope import Scope
from shared.store.event_log.events import DueDelivery
from shared.store.referrals import StoredReferral

ChangeOf = Callable[[StoredReferral, Mapping[str, Any]], ReferralChange | None]


def apply_action(
    change_of: ChangeOf,
    referral_id: UUID,
    body: dict[str, Any],
    *,
    check: Callable[[StoredReferral], None],
    shown: bool = True,
) -> StoredReferral:
    """Do what `change_of` says to a referral that the caller sees, in one transaction; return it as it stands then.

    `check` raises where the caller has seen another version. Raises NotFound, and ProblemError as `change_of` does.
    The same transaction records that the caller sees the identity, unless the answer does not show it.
    """
    due: list[DueDelivery] = []
    with current_context().sessions.begin() as session:
        before = referrals.find_to_change(session, referral_id, scope())
        if before is None:
            raise NotFound
        check(before)
        change = change_of(before, body)
        if change:
            events = [{**event, "actor": event_actor()} for event in change.events()]
            due = referrals.change(session, before, change.values, *events, cipher=current_context().cipher)
        after = (
            referrals.find(session, referral_id, Scope.everything()) or before
        )  # it may have left the caller's queues
        if shown:
            record_access(session, [after.patient])
    for delivery in due:
        current_context().announce(delivery_wake_up(delivery.id, delivery.queue))
    return after
