"""Nobody acknowledges: each rung is climbed once, on time and in order, until a named person has the referral."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update
from structlog.testing import capture_logs

from services.worker.watchman.escalation import Ladder
from services.worker.watchman.watchman import Watchman
from shared.platform.task_queues import delivery_wake_up
from shared.store import escalation
from shared.tables import Delivery, Event, Referral

URGENT = {"bladder_change": "unknown", "onset": "sudden"}  # a red flag cannot be ruled out
ACTIONS = ["second_on_call", "duty_consultant_and_referrer", "call_patient_emergency_number_or_nearest_ed"]
MINUTES = {"emergency": [10, 20, 30], "urgent": [60, 90, 120]}
FORMS = {"emergency": {"bladder_change": "new_or_worse"}, "urgent": URGENT}


@pytest.fixture
def announced():
    return []


@pytest.fixture
def ladder(sessions, triager, announced):
    return Ladder(sessions, triager.protocol.targets, announced.append)


@pytest.fixture
def later(sessions):
    """Return a function after which so many more minutes have passed, as far as the clocks of referrals go."""

    def pass_(minutes):
        gone = timedelta(minutes=minutes)
        moved = {"clock_started_at": Referral.clock_started_at - gone, "escalate_at": Referral.escalate_at - gone}
        with sessions.begin() as session:
            session.execute(update(Referral).values(**moved))

    return pass_


@pytest.fixture
def change(sessions):
    """Return a function that changes every referral, as an action over HTTP does."""

    def change_all(**values):
        with sessions.begin() as session:
            session.execute(update(Referral).values(**values))

    return change_all


@pytest.fixture
def escalated(sessions):
    """Return a function that returns the data of each escalation, oldest first."""

    def events():
        wanted = select(Event).where(Event.type == "referral.escalated").order_by(Event.id)
        with sessions() as session:
            return [event.data for event in session.scalars(wanted)]

    return events


def stored(sessions):
    with sessions() as session:
        return session.scalars(select(Referral)).one()


@pytest.mark.parametrize("priority", MINUTES)
def test_each_rung_is_climbed_at_its_minutes(priority, sessions, referral, ladder, later, escalated):
    routed = referral(symptoms=FORMS[priority])
    passed = 0
    for level, minutes in enumerate(MINUTES[priority], start=1):
        later(minutes - passed - 1)
        ladder.climb()
        assert len(escalated()) == level - 1
        later(1)
        ladder.climb()
        ladder.climb()
        passed = minutes
        assert stored(sessions).escalation_level == len(escalated()) == level
        assert stored(sessions).version == routed.version + level
    due = [datetime.fromisoformat(data.pop("due")) for data in escalated()]
    assert sorted(due) == due
    assert escalated()[-1] | {"due": None} == {
        "level": 3,
        "action": ACTIONS[-1],
        "due": None,
        "queue": "urgent",
        "priority": priority,
    }
    later(1000)
    ladder.climb()
    assert (len(escalated()), stored(sessions).escalate_at) == (3, None)


def test_what_fell_due_while_nobody_watched_is_climbed_in_order(referral, ladder, later, escalated):
    first, second = referral(), referral()
    assert first.clock_started_at < second.clock_started_at
    later(500)
    for _ in range(4):
        ladder.climb()
    assert [data["level"] for data in escalated()] == [1, 1, 2, 2, 3, 3]
    assert [data["action"] for data in escalated()[::2]] == ACTIONS


def test_the_longest_due_come_first(sessions, referral, triager, later, escalated):
    referral(symptoms=URGENT)
    later(65)
    referral()
    later(30)
    with sessions.begin() as session:
        escalation.climb(session, triager.protocol.targets, limit=1)
    assert [data["priority"] for data in escalated()] == ["urgent"]


def test_the_last_rung_is_told_once(referral, ladder, later):
    routed = referral()
    later(500)
    with capture_logs() as logs:
        for _ in range(5):
            ladder.climb()
    warned = [(line["referral_id"], line["rung"]) for line in logs if line["event"] == "escalation.exhausted"]
    assert warned == [(str(routed.id), 3)]


@pytest.mark.parametrize("symptoms", [{}, {"onset": "sudden"}], ids=["routine", "prompt"])
def test_prompt_and_routine_have_no_ladder(symptoms, sessions, referral, ladder, later, escalated):
    routed = referral(symptoms=symptoms)
    assert routed.queue != "urgent"
    later(100_000)
    ladder.start_clocks()
    ladder.climb()
    assert (escalated(), stored(sessions).escalate_at) == ([], None)


@pytest.mark.parametrize("status", ["acknowledged", "returned"])
def test_a_named_person_stops_it(status, referral, ladder, later, change, escalated):
    referral()
    later(10)
    ladder.climb()
    change(status=status, acknowledged_by="Dr A. Okafor", acknowledged_at=func.now())
    later(500)
    ladder.climb()
    assert [data["level"] for data in escalated()] == [1]


def test_after_a_release_it_runs_on(referral, ladder, later, change, escalated):
    referral()
    change(status="acknowledged", acknowledged_by="Dr A. Okafor", acknowledged_at=func.now())
    later(25)
    ladder.climb()
    assert escalated() == []
    change(status="queued", acknowledged_by=None, acknowledged_at=None)
    for _ in range(3):
        ladder.climb()
    assert [data["level"] for data in escalated()] == [1, 2]


def test_whoever_is_next_is_called_and_the_queue_hears_of_it(sessions, referral, destination, ladder, later, announced):
    queue, first, second = destination(), destination(escalation_level=1), destination(escalation_level=2)
    destination(escalation_level=1, facility="elsewhere")
    destination("neurology", escalation_level=1)
    referral()
    called = []
    for _ in range(3):
        later(10)
        with sessions.begin() as session:
            session.execute(delete(Delivery))
        ladder.climb()
        with sessions() as session:
            rows = session.scalars(select(Delivery)).all()
        assert set(announced) >= {delivery_wake_up(row.id, "urgent") for row in rows}
        called.append({row.destination_id: row.payload["data"]["escalation_level"] for row in rows})
    assert called == [{queue: 1, first: 1}, {queue: 2, second: 2}, {queue: 3}]


def test_a_referral_without_a_clock_is_given_one(sessions, referral, ladder, change, escalated):
    """Workers of the version before add referrals, but no clock."""
    routed = referral()
    change(escalate_at=None)
    ladder.start_clocks()
    ladder.start_clocks()
    assert stored(sessions).escalate_at == routed.escalate_at == routed.clock_started_at + timedelta(minutes=10)
    change(escalate_at=None, escalation_level=3)
    ladder.start_clocks()
    ladder.climb()
    assert (stored(sessions).escalate_at, escalated()) == (None, [])


def test_a_ladder_that_a_new_protocol_has_shortened_ends(sessions, referral, ladder, later, change, escalated):
    referral()
    change(escalation_level=3)
    later(500)
    ladder.climb()
    assert (stored(sessions).escalate_at, escalated()) == (None, [])


def test_two_watchmen_climb_each_rung_once(sessions, referral, ladder, later):
    for _ in range(30):
        referral()
    later(500)
    go = threading.Barrier(4)

    def climb():
        go.wait()
        for _ in range(20):
            ladder.climb()

    threads = [threading.Thread(target=climb) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions() as session:
        events = session.scalars(select(Event).where(Event.type == "referral.escalated").order_by(Event.id)).all()
    climbed = {}
    for event in events:
        climbed.setdefault(event.referral_id, []).append(event.data["level"])
    assert len(climbed) == 30
    assert set(map(tuple, climbed.values())) == {(1, 2, 3)}


@contextmanager
def watchmen(environment, count):
    command = [sys.executable, "-m", "services.cli", "watchman"]
    processes = [subprocess.Popen(command, env=environment) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def test_two_watchman_processes_of_which_one_is_killed_climb_each_rung_once(environment, referral, later, escalated):
    referral()
    with watchmen(environment, 2) as (killed, _):
        for level in (1, 2, 3):
            later(10)
            deadline = time.monotonic() + 30
            while len(escalated()) < level and time.monotonic() < deadline:
                time.sleep(0.05)
            with suppress(ProcessLookupError):
                killed.send_signal(signal.SIGKILL)
        time.sleep(1)  # several rounds
    assert [data["level"] for data in escalated()] == [1, 2, 3]


def test_it_is_a_duty_of_the_watchman(triager):
    tasks = {task.name: task for task in Watchman(triager).others()}
    assert tasks["escalation"].every == 0
    assert tasks["clocks"].every == 60
