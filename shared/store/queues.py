"""Reads the state of each queue: open, unacknowledged and overdue referrals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.store.sql import load
from shared.tables import IS_OPEN


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Counts of one queue's open referrals; `by_priority` by place in PRIORITIES, age of the oldest in seconds."""

    open: int = 0
    unacknowledged: int = 0
    overdue: int = 0
    oldest_age_seconds: float | None = None
    by_priority: Mapping[int, int] = field(default_factory=dict)


_TESTS = "(select name from facilities where kind = 'test')"
_IS_TEST = "exists (select from facilities where name = :facility and kind = 'test')"


def _states_where(seen: str, counted: str) -> TextClause:
    """Return the query for the states, of the facilities that `seen` selects and the referrals that `counted` does."""
    return text(load("queue_states", seen=seen, counted=counted, is_open=IS_OPEN))


_OF_ONE = f"facility = :facility and {_IS_TEST} = cast(:test as bool)"
_STATES_OF_FACILITY = _states_where(_OF_ONE, _OF_ONE)
_STATES = {
    True: _states_where(f"facility in {_TESTS}", "test"),
    False: _states_where(f"facility not in {_TESTS}", "not test"),
}

MAX_CHANGES = 500  # then they are summed up; adding as many takes well under a millisecond
MANY_CHANGES = f"(select count(*) from (select from queue_changes limit {MAX_CHANGES}) as few) = {MAX_CHANGES}"  # noqa: S608 - a constant
_MANY = text(f"select {MANY_CHANGES}")
_SUM_UP = text("""
    with gone as (delete from queue_changes returning facility, queue, priority, status, change)
    insert into queue_changes (facility, queue, priority, status, change)
    select facility, queue, priority, status, sum(change) from gone
    group by facility, queue, priority, status having sum(change) <> 0
""")


def states(connection: Connection | Session, scope: Scope, *, test: bool = False) -> dict[str, QueueStatus]:
    """Return the state of every queue that has open referrals `scope`'s facility may see; of tests, or of none."""
    found: dict[str, QueueStatus] = {}
    statement = _STATES[test] if scope.facility is None else _STATES_OF_FACILITY
    for queue, priority, count, unacknowledged, overdue, age in connection.execute(
        statement, {"facility": scope.facility, "test": test}
    ):
        before = found.get(queue, QueueStatus())
        found[queue] = QueueStatus(
            open=before.open + count,
            unacknowledged=before.unacknowledged + unacknowledged,
            overdue=before.overdue + overdue,
            oldest_age_seconds=float(age),
            by_priority={**before.by_priority, priority: count},
        )
    return found


def sum_up(session: Session) -> None:
    """Put one row instead of many for each part of a queue, if there are many. What they say stays the same."""
    if session.scalar(_MANY):
        session.execute(_SUM_UP)
