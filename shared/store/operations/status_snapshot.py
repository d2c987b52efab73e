"""Reads the status of the whole service at this moment, for operators: counts and ages, no names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.access.scope import Scope
from shared.store.operations.heartbeats import RoleHeartbeat, role_heartbeats
from shared.store.queues import QueueStatus, states
from shared.store.sql import load


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
    """Lanes by lane, roles by role, all others by queue; what has nothing is left out.

    Deliveries to facilities' own systems stand under FACILITY and TEST_FACILITY, in the place of a queue.
    """

    queues: Mapping[str, QueueStatus]
    tests: Mapping[str, QueueStatus]  # the same of test facilities, of which `queues` has nothing
    lanes: Mapping[str, LaneStatus]
    deliveries: Mapping[str, DeliveryStatus]
    disabled: Mapping[str, int]  # destinations that take nothing any more
    roles: Mapping[str, RoleHeartbeat]
    ladders_ended: Mapping[str, int]  # referrals that nobody acknowledged though the last rung was climbed
    keys_expiring: int  # live keys that expire within EXPIRY_WARNING
    unnumbered: int  # events that no reader has seen yet
    database_bytes: int


_LANES = text("""
    select lane, count(*), extract(epoch from clock_timestamp() - min(received_at))
    from intakes where status = 'received' group by lane
""")
FACILITY, TEST_FACILITY = "facility", "test_facility"
_LISTENER = f"""coalesce(queue, (
    select case kind when 'test' then '{TEST_FACILITY}' else '{FACILITY}' end from facilities
    where name = destinations.facility
), '{FACILITY}')"""  # noqa: S608 - constants
_DELIVERIES = text(load("delivery_status", listener=_LISTENER))
_DISABLED = text(f"select {_LISTENER}, count(*) from destinations where status = 'disabled' group by 1")  # noqa: S608
EXPIRY_WARNING = timedelta(days=30)
# Of what is urgent only: no other priority has a ladder.
_LADDERS_ENDED = text("""
    select queue, count(*) from referrals
    where queue = 'urgent' and status = 'queued' and escalate_at is null and escalation_level > 0 group by queue
""")
_KEYS_EXPIRING = text("""
    select count(*) from api_keys
    where revoked_at is null and expires_at > now() and expires_at < now() + :warning
""")
_UNNUMBERED = text("select count(*) from events where number is null")
_BYTES = text("select pg_database_size(current_database())")


def status_snapshot(session: Session) -> StatusSnapshot:
    """Return the status of everything, in a few short queries."""
    return StatusSnapshot(
        queues=states(session, Scope.everything()),
        tests=states(session, Scope.everything(), test=True),
        lanes={lane: LaneStatus(count, float(age)) for lane, count, age in session.execute(_LANES)},
        deliveries={
            queue: DeliveryStatus(due, parked, float(age)) for queue, due, parked, age in session.execute(_DELIVERIES)
        },
        disabled={queue: int(count) for queue, count in session.execute(_DISABLED)},
        roles=role_heartbeats(session),
        ladders_ended={queue: int(count) for queue, count in session.execute(_LADDERS_ENDED)},
        keys_expiring=session.scalars(_KEYS_EXPIRING, {"warning": EXPIRY_WARNING}).one(),
        unnumbered=session.scalars(_UNNUMBERED).one(),
        database_bytes=database_bytes(session),
    )


def database_bytes(session: Session) -> int:
    """Return how large the database is on its disk."""
    return int(session.scalars(_BYTES).one())
