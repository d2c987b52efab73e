"""Statistics of referrals since a moment, counted from rows and events; no identity, and no words that people wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.store.sql import load

_SEEN = """
    referrals.created_at >= :since and (not referrals.test or referrals.facility = :facility)
    and (cast(:facility as text) is null or referrals.facility = :facility)
    and (cast(:queues as text[]) is null or referrals.queue = any(:queues))
"""
_FIRST = """
    cross join lateral (
        select min(at) as acknowledged_at from events
        where events.referral_id = referrals.id and events.type = 'referral.acknowledged'
    ) as first
"""
_ENDED = """
    join lateral (
        select at from events where events.referral_id = referrals.id and events.type = 'referral.completed' limit 1
    ) as ended on true
"""


def _query(columns: str, joined: str, rest: str) -> TextClause:
    return text(f"select {columns} from referrals {joined} where {_SEEN} {rest}")  # noqa: S608 - constants


_BY_TIME = _query(
    "date_bin(cast(:width as interval), referrals.created_at, cast(:since as timestamptz)), priority, count(*)",
    "",
    "group by 1, 2 order by 1, 2",
)
_ACKNOWLEDGED = _query(
    """priority, count(*), percentile_cont(array[0.5, 0.9, 0.95, 1]) within group (
        order by extract(epoch from first.acknowledged_at - coalesce(form_received_at, referrals.created_at)))""",
    _FIRST,
    "and first.acknowledged_at is not null group by priority order by priority",
)
_HANDLED = _query(
    """priority, count(*), percentile_cont(array[0.5, 0.9, 0.95, 1]) within group (
        order by extract(epoch from ended.at - first.acknowledged_at))""",
    _FIRST + _ENDED,
    "and first.acknowledged_at is not null group by priority order by priority",
)
_BREACHES = _query(
    """queue, count(*), count(*) filter (
        where coalesce(first.acknowledged_at, case when status = 'queued' then now() end) > acknowledge_by)""",
    _FIRST,
    "group by queue order by queue",
)
_RULES = text(load("rule_counts", seen=_SEEN))
_UNANSWERED = text(load("unanswered_fields", seen=_SEEN))
_CHANGED = _query(
    "events.type, events.data ->> 'from', events.data ->> 'to', count(*)",
    "join events on events.referral_id = referrals.id",
    """and events.type in ('referral.returned', 'referral.rerouted', 'referral.downgrade_confirmed')
       group by 1, 2, 3 order by 4 desc, 1""",
)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Rows of each table, as its query returns them; times in seconds."""

    since: datetime
    width: timedelta
    by_time: Sequence[Any]  # moment, priority, count
    acknowledged: Sequence[Any]  # priority, count, [median, 90 %, 95 %, worst] of the wait from receipt
    handled: Sequence[Any]  # the same of the time from acknowledgement to completion
    breaches: Sequence[Any]  # queue, referrals, acknowledged late or still waiting
    rules: Sequence[Any]  # rule, fired, could not be evaluated
    unanswered: Sequence[Any]  # facility, field, referrals
    changed: Sequence[Any]  # event type, from, to, count


def statistics(connection: Connection | Session, scope: Scope, since: datetime, width: timedelta) -> Statistics:
    """Return what became of the referrals that `scope` sees and that were made after `since`, by steps of `width`.

    Tests are counted for their own facility alone.
    """
    given = {**scope.values, "since": since, "width": width}

    def asked(statement: TextClause) -> Sequence[Any]:
        return connection.execute(statement, given).all()

    return Statistics(
        since,
        width,
        by_time=asked(_BY_TIME),
        acknowledged=asked(_ACKNOWLEDGED),
        handled=asked(_HANDLED),
        breaches=asked(_BREACHES),
        rules=asked(_RULES),
        unanswered=asked(_UNANSWERED),
        changed=asked(_CHANGED),
    )
