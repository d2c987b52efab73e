"""What left a worklist since a moment by a person's decision: returned or rerouted, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher
from shared.store.access.scope import Scope
from shared.store.event_log.texts import opened_data

# The same words as in the index `ix_events_moved`, along which this walks from the latest backwards.
MOVED = "type in ('referral.returned', 'referral.rerouted')"

_MOVED = text(f"""
    select referrals.id, referrals.reference, referrals.queue, referrals.priority, referrals.headline,
        events.type, events.at, events.by, events.data, events.text_id, event_texts.sealed
    from events join referrals on referrals.id = events.referral_id
    left join event_texts on event_texts.id = events.text_id
    where events.{MOVED} and events.at >= :since and (not referrals.test or referrals.facility = :facility)
        and (cast(:facility as text) is null or referrals.facility = :facility)
        and (cast(:queues as text[]) is null or referrals.queue = any(:queues) or events.data ->> 'from' = any(:queues))
    order by events.at desc limit :limit
""")  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Moved:
    """A referral that was returned or rerouted; `data` has the reason, and from and to where."""

    referral_id: UUID
    reference: str
    queue: str
    priority: int
    headline: str
    type: str
    at: datetime
    by: str | None
    data: dict[str, Any]


def moved_since(
    connection: Connection | Session, scope: Scope, since: datetime, *, cipher: IdentityCipher, limit: int
) -> Sequence[Moved]:
    """Return the latest `limit` of them since a moment, the latest first, with the reasons that `cipher` opens."""
    given = {**scope.values, "since": since, "limit": limit}
    found = connection.execute(_MOVED, given)
    return [Moved(*[*columns, opened_data(cipher, data, text_id, sealed)]) for *columns, data, text_id, sealed in found]
