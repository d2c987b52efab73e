"""Work that does not move by itself: forms that wait for triage, forms whose triage failed, and parked deliveries."""

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.tables import IS_FAILED, IS_OPEN

WAITS_FOR = "60 seconds"  # a form that has waited longer for triage is stuck
MAX_COUNTED = 1000  # of each kind; beyond it the count says "1000 or more"

_STUCK = text(f"""
    select kind, count(*), extract(epoch from now() - min(since)) from (
        (select 'failed' as kind, created_at as since from referrals
         where {IS_FAILED} and {IS_OPEN} and (not test or facility = :facility)
            and (cast(:facility as text) is null or facility = :facility)
            and (cast(:queues as text[]) is null or queue = any(:queues))
         order by priority, acknowledge_by, id limit :most)
        union all
        (select 'untriaged', received_at from intakes
         where status = 'received' and lane in ('priority', 'routine')
            and received_at < now() - cast(:waits_for as interval)
            and (cast(:facility as text) is null or facility = :facility)
         order by lane, received_at, id limit :most)
        union all
        (select 'parked', created_at from deliveries
         where status = 'parked' and :sees_deliveries order by created_at, id limit :most)
    ) as stuck group by kind
""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Stuck:
    """How much of one kind is stuck, and for how long the oldest of it, in seconds."""

    kind: str  # failed, untriaged or parked
    count: int
    oldest_seconds: float


def stuck_work(connection: Connection | Session, scope: Scope, *, sees_deliveries: bool) -> list[Stuck]:
    """Return what is stuck of that which `scope` sees, the most pressing kind first."""
    given = {**scope.values, "waits_for": WAITS_FOR, "most": MAX_COUNTED, "sees_deliveries": sees_deliveries}
    found = {kind: Stuck(kind, count, float(age)) for kind, count, age in connection.execute(_STUCK, given)}
    return [found[kind] for kind in ("untriaged", "failed", "parked") if kind in found]
