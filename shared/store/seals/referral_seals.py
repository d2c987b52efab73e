"""Seals referrals, each with its form and decision, as they stand after their last event."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from shared.store.seals.macs import mac

# Everything that only an event of the referral changes. Not: the next rung of the ladder, leases, and what is sealed or
# hashed anew when keys turn.
STATE = """
    sha256(convert_to(jsonb_build_array(
        referrals.intake_id, referrals.facility, referrals.queue, referrals.priority, referrals.status,
        referrals.pattern, referrals.headline, referrals.red_flags, referrals.created_at, referrals.acknowledge_by,
        referrals.acknowledged_by, referrals.acknowledged_at, referrals.clock_started_at, referrals.superseded_by,
        referrals.downgrade_proposed, referrals.version, referrals.test, referrals.contact_by, referrals.contacted_by,
        referrals.contacted_at, referrals.contacted_outcome,
        intakes.facility, intakes.lane, intakes.received_at, intakes.today, intakes.answers, intakes.amends,
        decisions.record, decisions.protocol_version, decisions.decided_at
    )::text, 'UTF8'))
"""
# One statement, one moment: the row and its last event belong together.
_STATES = text(f"""
    select referrals.id, last.id as event_id, referrals.queue, referrals.priority, referrals.status, {STATE} as state
    from referrals
    join intakes on intakes.id = referrals.intake_id
    left join decisions on decisions.intake_id = referrals.intake_id
    cross join lateral (
        select id from events where referral_id = referrals.id order by id desc limit 1
    ) as last
    where referrals.id = any(:ids)
""")  # noqa: S608 - a constant
_ADD = text("""
    insert into referral_seals (referral_id, event_id, queue, priority, status, mac)
    select * from unnest(cast(:referrals as uuid[]), cast(:events as bigint[]), cast(:queues as text[]),
        cast(:priorities as smallint[]), cast(:statuses as text[]), cast(:macs as bytea[]))
    on conflict do nothing
""")
_PAGE = text("select id from referrals where id > :after order by id limit :limit").bindparams(bindparam("limit"))


def seal_referrals(session: Session, key: bytes, ids: Sequence[UUID]) -> None:
    """Seal these referrals as they stand; one that was sealed after its last event stays sealed as it was then."""
    found = session.execute(_STATES, {"ids": sorted(ids)}).all() if ids else []
    if not found:
        return
    session.execute(
        _ADD,
        {
            "referrals": [row.id for row in found],
            "events": [row.event_id for row in found],
            "queues": [row.queue for row in found],
            "priorities": [row.priority for row in found],
            "statuses": [row.status for row in found],
            "macs": [referral_mac(key, row) for row in found],
        },
    )


def page_of_referrals(session: Session, after: UUID, limit: int) -> list[UUID]:
    """Return the ids of the next referrals, in order."""
    return list(session.scalars(_PAGE, {"after": after, "limit": limit}))


def referral_mac(key: bytes, row: Row[Any]) -> bytes:
    """Return the MAC of a referral (id, event_id, queue, priority, status, state)."""
    return mac(key, "referral", str(row.id), row.event_id, row.queue, row.priority, row.status, row.state)
