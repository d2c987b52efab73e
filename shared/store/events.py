"""Events: added together with what they tell of, and from there sent to every destination that listens.

Events are numbered after the commit, under one lock, so a reader that has seen number n will never see a smaller one
appear: numbers have no gaps and follow the order in which events became visible. Each digest covers the event and the
digest before it, so a change of what was numbered shows.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from shared.clinical.lifecycle import PRIORITIES
from shared.tables import Event

NUMBERING = 7_205_734_186  # the advisory lock under which events get their numbers
MOST_AT_ONCE = 1000
FIRST_DIGEST = bytes(32)  # what stands before the first event


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that can be made now, and the task queue on which it is announced."""

    id: UUID
    queue: str


# Who hears of an event: the queue's own destinations of everything; a rung's of its own call, and once they were
# called of whatever ends or changes the case. The queue that a referral leaves hears of that, too.
_TELL = text(f"""
    insert into deliveries (id, destination_id, referral_id, event_id, queue, payload, status, error, ended_at)
    select gen_random_uuid(), destinations.id, referrals.id, events.id, destinations.queue,
        jsonb_build_object(
            'type', events.type,
            'timestamp', to_char(events.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'data', jsonb_build_object(
                'referral_id', referrals.id, 'intake_id', referrals.intake_id, 'queue', referrals.queue,
                'priority', (array[{", ".join(f"'{priority}'" for priority in PRIORITIES)}])[referrals.priority + 1],
                'status', referrals.status, 'escalation_level', referrals.escalation_level,
                'red_flags', to_jsonb(referrals.red_flags), 'link', '/v1/referrals/' || referrals.id
            )
        ),
        case destinations.status when 'active' then 'due' else 'parked' end,
        case destinations.status when 'active' then null else 'destination_disabled' end,
        case destinations.status when 'active' then null else now() end
    from events
    join referrals on referrals.id = events.referral_id
    join destinations on destinations.queue in (referrals.queue, events.data ->> 'from')
        and (destinations.facility is null or destinations.facility = referrals.facility)
        and destinations.status <> 'removed'
        and case
            when destinations.escalation_level = 0 then true
            when events.type = 'referral.escalated' then destinations.escalation_level = (events.data ->> 'level')::int
            else events.type <> 'referral.queued' and destinations.escalation_level <= referrals.escalation_level
        end
    where events.id = any(:events) and starts_with(events.type, 'referral.')
    on conflict do nothing
    returning id, queue, status
""")  # noqa: S608 - a priority is one of four words

_LAST = text("select number, digest from events where number is not null order by number desc limit 1")
_UNNUMBERED = text(f"""
    select id, type, at, referral_id, intake_id, by, data from events where number is null order by id
    limit {MOST_AT_ONCE}
""")  # noqa: S608 - a constant
_NUMBER = text("""
    update events set number = given.number, digest = given.digest
    from unnest(cast(:ids as bigint[]), cast(:numbers as bigint[]), cast(:digests as bytea[]))
        as given (id, number, digest)
    where events.id = given.id and events.number is null
""")


def record(session: Session, events: Sequence[dict[str, Any]]) -> list[Due]:
    """Add events (type, referral_id, intake_id, by, data) in this order; return what is due to be delivered of them."""
    added = session.scalars(insert(Event).returning(Event.id, sort_by_parameter_order=True), events)
    return tell(session, added.all())


def tell(session: Session, events: Sequence[int]) -> list[Due]:
    """Make a delivery of each of these events to every destination that listens; return those that are due.

    Telling twice is telling once. For a destination that is disabled the delivery is parked. Only what happens to
    referrals is told, not how a delivery fared.
    """
    if not events:
        return []
    told = session.execute(_TELL, {"events": list(events)})
    return [Due(delivery_id, queue) for delivery_id, queue, status in told if status == "due"]


def number(session: Session) -> int:
    """Give the oldest events without a number theirs, at most MOST_AT_ONCE; return how many there were."""
    if session.execute(text("select 1 from events where number is null limit 1")).first() is None:
        return 0
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING})
    last, before = session.execute(_LAST).one_or_none() or (0, FIRST_DIGEST)
    found = session.execute(_UNNUMBERED).all()
    digests = []
    for place, row in enumerate(found, start=last + 1):
        before = digest(before, place, *row[1:])
        digests.append(before)
    numbers = list(range(last + 1, last + 1 + len(found)))
    session.execute(_NUMBER, {"ids": [row.id for row in found], "numbers": numbers, "digests": digests})
    return len(found)


def digest(before: bytes, place: int, *content: Any) -> bytes:
    """Return the SHA-256 of the event number `place` (type, at, referral, intake, by, data) and the digest before."""
    written = orjson.dumps([place, *content], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(before + written).digest()
