"""The status of everything at this moment, for those who watch over the service: counts and ages, nobody's name."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.store.operations.heartbeats import RoleHeartbeat, role_heartbeats
from shared.store.queues import QueueStatus, states


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """Intakes that wait for triage, and how long the oldest of them has waited, in seconds."""

    waiting: int = 0
    oldest_age_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """A queue's deliveries: still due, parked, and how long the oldest of those due has not arrived, in seconds."""

    due: int = 0
    parked: int = 0
    oldest_due_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """Lanes by lane, roles by role, all others by queue; what has nothing is left out."""

    queues: Mapping[str, QueueStatus]
    lanes: Mapping[str, LaneStatus]
    deliveries: Mapping[str, DeliveryStatus]
    disabled: Mapping[str, int]  # destinations that take nothing any more
    roles: Mapping[str, RoleHeartbeat]
    unnumbered: int  # events that no reader has seen yet
    database_bytes: int


_LANES = text("""
    select lane, count(*), extract(epoch from clock_timestamp() - min(received_at))
    from intakes where status = 'received' group by lane
""")
# Destination by destination, as their indexes are: what is due or parked is counted there and not looked up.
_DELIVERIES = text("""
    select queue, sum(due.number)::int, sum(parked.number)::int,
        coalesce(extract(epoch from now() - min(due.oldest)), 0)
    from destinations
    cross join lateral (
        select count(*) as number, min(created_at) as oldest from deliveries
        where destination_id = destinations.id and status = 'due'
    ) as due
    cross join lateral (
        select count(*) as number from deliveries where destination_id = destinations.id and status = 'parked'
    ) as parked
    group by queue having sum(due.number) + sum(parked.number) > 0
""")
_DISABLED = text("select queue, count(*) from destinations where status = 'disabled' group by queue")
_UNNUMBERED = text("select count(*) from events where number is null")
_BYTES = text("select pg_database_size(current_database())")


def status_snapshot(session: Session) -> StatusSnapshot:
    """Return the status of everything, in a few short queries."""
    return StatusSnapshot(
        queues=states(session, Scope.everything()),
        lanes={lane: LaneStatus(count, float(age)) for lane, count, age in session.execute(_LANES)},
        deliveries={
            queue: DeliveryStatus(due, parked, float(age)) for queue, due, parked, age in session.execute(_DELIVERIES)
        },
        disabled={queue: int(count) for queue, count in session.execute(_DISABLED)},
        roles=role_heartbeats(session),
        unnumbered=session.scalars(_UNNUMBERED).one(),
        database_bytes=database_bytes(session),
    )


def database_bytes(session: Session) -> int:
    """Return how large the database is on its disk."""
    return int(session.scalars(_BYTES).one())
