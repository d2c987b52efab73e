"""Marks referrals whose `contact_by` has passed without a contact, and adds an event, once for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import PRIORITIES, Priority
from shared.store.contact.imaging_due import utc
from shared.store.event_log.events import DueDelivery, append_events
from shared.tables import AWAITS_CONTACT, IS_OPEN


@dataclass(frozen=True, slots=True)
class Overdue:
    """A referral whose patient nobody has contacted in time."""

    referral_id: UUID
    intake_id: UUID
    queue: str
    priority: Priority
    contact_by: datetime
    test: bool


# The present moment of the transaction, as in shared/store/escalation.py: the index can be asked. Rows that another
# watchman holds are left to it, and the condition that led here ends with the change: each is found once.
_PASSED = f"{IS_OPEN} and {AWAITS_CONTACT} and contact_by <= now()"
CONTACT_IS_OVERDUE = f"exists (select from referrals where {_PASSED})"
_MARK = text(f"""
    with passed as (
        select id from referrals where {_PASSED} order by contact_by, id limit (select cast(:limit as int))
        for no key update skip locked
    )
    update referrals set contact_overdue_at = now(), version = version + 1
    from passed where referrals.id = passed.id
    returning referrals.id, intake_id, queue, priority, contact_by, test
""")  # noqa: S608 - constants


def mark_overdue(session: Session, *, limit: int) -> tuple[list[Overdue], list[DueDelivery]]:
    """Note which contacts are overdue now, longest overdue first, at most `limit`; return what is to be delivered."""
    found = [
        Overdue(row.id, row.intake_id, row.queue, PRIORITIES[row.priority], row.contact_by, row.test)
        for row in session.execute(_MARK, {"limit": limit})
    ]
    found.sort(key=lambda each: (each.contact_by, each.referral_id))
    return found, append_events(session, _events(found))


def _events(found: Sequence[Overdue]) -> list[dict[str, object]]:
    return [
        {
            "type": "referral.contact_overdue",
            "referral_id": each.referral_id,
            "intake_id": each.intake_id,
            "data": {"contact_by": utc(each.contact_by), "queue": each.queue, "priority": each.priority},
        }
        for each in found
    ]
