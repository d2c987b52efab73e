"""Each fault happens to one running service under load, and leaves everything where it belongs."""

import pytest
from sqlalchemy import text

from . import beside, broker, database, delivery, escalation, hostile, processes, senders
from .fault import Fault, at_this_pace, endure
from .mailbox import settled
from .pace import Pace
from .service import Service
from .table import Row

# Delivery first: what failed there has its pauses while others happen. Last whoever sends much: all of it is delivered.
FAULTS = at_this_pace(
    (
        *delivery.FAULTS,
        *broker.FAULTS,
        *hostile.FAULTS,
        *database.FAULTS,
        *processes.FAULTS,
        *escalation.FAULTS,
        *beside.FAULTS,
        *senders.FAULTS,
    )
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_and_no_red_flag_waits(service: Service, fault: Fault, pace: Pace, rows: list[Row]) -> None:
    endure(service, fault, pace, rows)


@pytest.mark.timeout(600)
def test_everything_due_to_departments_arrived_under_one_id(service: Service, pace: Pace, rows: list[Row]) -> None:
    """After all of these faults, and after somebody had retried what was parked."""
    assert settled(service, pace, rows) == {}


def test_the_audit_finds_nothing_but_what_was_tampered_with(service: Service) -> None:
    """After all of these faults; then one event is changed behind everybody's back, and changed back."""
    assert service.audit() == (0, None, [])
    tampered = tamper(service, "nobody")
    assert service.audit() == (1, tampered, [])
    tamper(service, None)
    assert service.audit() == (0, None, [])


def tamper(service: Service, by: str | None) -> int:
    """Change who did an early event; return its number."""
    with service.engine.begin() as connection:
        connection.execute(text("alter table events disable trigger user"))
        changed = connection.scalar(text("update events set by = :by where number = 7 returning number"), {"by": by})
        connection.execute(text("alter table events enable trigger user"))
    return int(changed)
