"""Events: added together with what they tell of, and from there sent to every destination that listens.

How they get their numbers and are read in order: shared/store/event_log/feed.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.platform.raw_statement import RawStatement


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that is due, if only to be parked, and the task queue on which it is announced."""

    id: UUID
    queue: str


# Who hears of an event: the queue's own destinations of everything; a rung's of its own call, and once they were
# called of whatever ends or changes the case. The queue that a referral leaves hears of that, too.
# To stand after the names of relations: `events`, which are to be told, and `referrals`, as they stand.
FAN_OUT = f"""
    insert into deliveries (id, destination_id, referral_id, event_id, queue, payload)
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
        )
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
    where starts_with(events.type, 'referral.')
    returning id, queue
"""  # noqa: S608 - a priority is one of four words
_RECORD = RawStatement(
    text(f"""
    with happened as (
        select * from rows from (
            jsonb_to_recordset(cast(:events as jsonb)) as (
                type text, referral_id uuid, intake_id uuid, by text, data jsonb, actor jsonb
            )
        ) with ordinality as happened (type, referral_id, intake_id, by, data, actor, place)
    ), events as (
        insert into events (type, referral_id, intake_id, by, data, actor)
        select type, referral_id, intake_id, by, coalesce(data, '{{}}'), actor from happened order by place
        returning *
    )
    {FAN_OUT}
""")  # noqa: S608 - constants
)


def append_events(session: Session, events: Sequence[Mapping[str, Any]]) -> list[DueDelivery]:
    """Add events (type, referral_id, intake_id, by, data, actor) in this order; return what is due of them.

    Of each, a delivery is made to every destination that listens. What is for one that is disabled is parked by the
    next sweep, which says so in the timeline. Only what happens to referrals is told, not how a delivery fared.
    """
    return due_deliveries(_RECORD.execute(session, {"events": orjson.dumps(events).decode()})) if events else []


def due_deliveries(told: Iterable[Sequence[Any]]) -> list[DueDelivery]:
    """Return the deliveries that TELLING made."""
    return [DueDelivery(*each) for each in told]
