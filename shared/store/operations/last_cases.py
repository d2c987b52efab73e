"""When a queue last held a case: what an empty worklist says."""

from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope

MAX_REFERRALS = 2000  # the newest, among which the queue's last one is looked for

_LAST = text("""
    with newest as (
        select id, queue, facility, test from referrals order by created_at desc limit :most
    ), here as (
        select id from newest
        where queue = :queue and ((cast(:facility as text) is null and not test) or facility = :facility)
    )
    select max(ended.at) from here cross join lateral (
        select at from events where events.referral_id = here.id order by events.id desc limit 1
    ) as ended
""")


def last_held(connection: Connection | Session, scope: Scope, queue: str) -> datetime | None:
    """Return when something last happened to a recent case of `queue`; None where no recent case was there."""
    found: datetime | None = connection.scalar(_LAST, {**scope.values, "queue": queue, "most": MAX_REFERRALS})
    return found
