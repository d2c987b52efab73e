"""How each queue stands: what is open, what nobody has acknowledged, and what is overdue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Text, bindparam, text
from sqlalchemy.orm import Session

from shared.clinical.lifecycle import OPEN_STATUSES
from shared.store.scope import Scope
from shared.tables import one_of


@dataclass(frozen=True, slots=True)
class QueueState:
    """Counts of one queue's open referrals; `by_priority` by place in PRIORITIES, age of the oldest in seconds."""

    open: int = 0
    unacknowledged: int = 0
    overdue: int = 0
    oldest_age_seconds: float | None = None
    by_priority: Mapping[int, int] = field(default_factory=dict)


# What stands there is the sum of its changes, the oldest is one step into an index; only what is overdue is counted.
# Place by place, because an index that tells facilities apart gives no order, and no range, over all of them.
_STATES = text(f"""
    with place as (
        select facility, queue, priority,
            sum(change) as open, sum(change) filter (where status = 'queued') as unacknowledged
        from queue_changes where facility = coalesce(:facility, facility)
        group by facility, queue, priority having sum(change) > 0
    )
    select queue, priority, open, coalesce(unacknowledged, 0),
        (
            select count(*) from referrals
            where referrals.facility = place.facility and referrals.queue = place.queue and status = 'queued'
                and referrals.priority = place.priority and acknowledge_by < now()
        ),
        (
            select extract(epoch from now() - created_at) from referrals
            where referrals.facility = place.facility and referrals.queue = place.queue
                and {one_of("status", OPEN_STATUSES)}
            order by created_at limit 1
        )
    from place
""").bindparams(bindparam("facility", type_=Text))  # noqa: S608 - a status is one of a list of words

MOST_CHANGES = 500  # then they are summed up; adding as many takes well under a millisecond
MANY_CHANGES = f"(select count(*) from (select from queue_changes limit {MOST_CHANGES}) as few) = {MOST_CHANGES}"  # noqa: S608 - a constant
_MANY = text(f"select {MANY_CHANGES}")
_SUM_UP = text("""
    with gone as (delete from queue_changes returning facility, queue, priority, status, change)
    insert into queue_changes (facility, queue, priority, status, change)
    select facility, queue, priority, status, sum(change) from gone
    group by facility, queue, priority, status having sum(change) <> 0
""")


def states(session: Session, scope: Scope) -> dict[str, QueueState]:
    """Return the state of every queue that has open referrals which `scope`'s facility may see."""
    found: dict[str, QueueState] = {}
    for queue, priority, count, unacknowledged, overdue, age in session.execute(_STATES, {"facility": scope.facility}):
        before = found.get(queue, QueueState())
        found[queue] = QueueState(
            open=before.open + count,
            unacknowledged=before.unacknowledged + unacknowledged,
            overdue=before.overdue + overdue,
            oldest_age_seconds=max(before.oldest_age_seconds or 0.0, float(age)),
            by_priority={**before.by_priority, priority: before.by_priority.get(priority, 0) + count},
        )
    return found


def sum_up(session: Session) -> None:
    """Put one row in the place of many for each part of a queue, if there are many. What they say stays the same."""
    if session.scalar(_MANY):
        session.execute(_SUM_UP)
