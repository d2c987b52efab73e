"""Each fault happens to one running service under load, and leaves everything where it belongs."""

import json
import time
from dataclasses import asdict, replace

import pytest
from sqlalchemy import text

from tests.referrals import referrals

from . import beside, broker, database, delivery, escalation, hostile, processes, senders
from .fault import Fault, endure
from .pace import Pace
from .service import Service
from .table import Row

# Delivery first: what failed there has its pauses while the others happen.
FAULTS = (
    *delivery.FAULTS,
    *senders.FAULTS,
    *broker.FAULTS,
    *hostile.FAULTS,
    *database.FAULTS,
    *processes.FAULTS,
    *escalation.FAULTS,
    *beside.FAULTS,
)
POST_SECONDS = 90


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_and_no_red_flag_waits(service: Service, fault: Fault, pace: Pace, rows: list[Row]) -> None:
    endure(service, fault, pace, rows)


def test_everything_due_to_departments_arrived_under_one_id(service: Service, rows: list[Row]) -> None:
    """After all of these faults, and after somebody had retried what was parked."""
    deadline = time.monotonic() + POST_SECONDS
    while True:
        referrals("parked", "retry", "--all", "--home", service.home)
        posts = {name: service.mailboxes.post(name) for name in service.mailboxes.loads}
        if all(post.got == post.due for post in posts.values()) or time.monotonic() > deadline:
            break
        time.sleep(2)
    for number, row in enumerate(rows):
        if row.fault in posts:
            rows[number] = replace(row, **asdict(posts[row.fault]))
    assert {name: post for name, post in posts.items() if post.got != post.due or post.strange} == {}


def test_the_audit_finds_nothing_but_what_was_tampered_with(service: Service) -> None:
    """After all of these faults; then one event is changed behind everybody's back."""
    assert audit(service) == (0, None, [])
    with service.engine.begin() as connection:
        connection.execute(text("alter table events disable trigger user"))
        number = connection.scalar(text("update events set by = 'nobody' where number = 7 returning number"))
        connection.execute(text("alter table events enable trigger user"))
    assert audit(service) == (1, number, [])


def audit(service: Service) -> tuple[int, int | None, list[str]]:
    """Return the exit code of `referrals audit`, where the chain is broken, and what it found."""
    done = referrals("audit", "--json", "--home", service.home)
    said = json.loads(done.stdout)
    return done.returncode, said["broken"], [name for name, count in said["findings"].items() if count]
