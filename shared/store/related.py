"""What else there is of a case: the referral that one supersedes, and open ones of the same patient.

Found for a whole page at once, when it is read: nothing is stored that could grow stale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.clinical.lifecycle import OPEN_STATUSES
from shared.direct import Direct
from shared.store.referrals import StoredReferral
from shared.tables import one_of

DUPLICATES_WITHIN = timedelta(days=14)
MOST_DUPLICATES = 20  # of one referral, the newest: a number under which everything is sent makes no page endless


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An open referral of the same patient from the same facility."""

    id: UUID
    queue: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Related:
    """The newest referral that one supersedes, if it does, and its duplicates, oldest first."""

    supersedes: UUID | None = None
    duplicates: Sequence[Duplicate] = ()


# The facility is part of what `mrn_hash` is a hash of. To name it here, too, would offer the planner indexes of a
# facility's open referrals, and while statistics say that there are few it walks all of them for each referral.
# For each referral one step into an index that has the order, and what follows there up to a number: with a million of
# one patient as with none.
_RELATED = Direct(
    text(f"""
    select mine.id as mine, true, superseded.*
    from unnest(cast(:referrals as uuid[])) as mine (id)
    cross join lateral (
        select id, queue, status, created_at, form_received_at from referrals
        where superseded_by = mine.id
        order by form_received_at desc, id desc
        limit 1
    ) superseded
    union all
    select mine.id as mine, false, twins.*
    from referrals mine
    cross join lateral (
        select id, queue, status, created_at, form_received_at from referrals twin
        where twin.mrn_hash = mine.mrn_hash and twin.id <> mine.id
            and twin.form_received_at between mine.form_received_at - :within and mine.form_received_at + :within
            and {one_of("twin.status", OPEN_STATUSES)}
        order by twin.form_received_at desc
        limit {MOST_DUPLICATES}
    ) twins
    where mine.id = any(:referrals) and {one_of("mine.status", OPEN_STATUSES)}
    order by form_received_at, id
""")  # noqa: S608 - constants
)


def related(connection: Connection | Session, referrals: Sequence[StoredReferral]) -> dict[UUID, Related]:
    """Return what else there is of each referral's case, in one query for all of them."""
    if not referrals:
        return {}
    ids = [referral.id for referral in referrals]
    superseded: dict[UUID, UUID] = {}
    duplicates: dict[UUID, list[Duplicate]] = {each: [] for each in ids}
    found = _RELATED.execute(connection, {"referrals": ids, "within": DUPLICATES_WITHIN})
    for referral_id, is_superseded, other_id, queue, status, created_at, _ in found:
        if is_superseded:
            superseded[referral_id] = other_id
        else:
            duplicates[referral_id].append(Duplicate(other_id, queue, status, created_at))
    return {each: Related(superseded.get(each), duplicates[each]) for each in ids}
