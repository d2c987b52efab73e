"""Real worker processes on a real broker: they triage what is announced, survive kills and stop when told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import func, select

from shared.platform.task_queues import triage_queue, triage_wake_up
from shared.platform.wake_ups.announcer import Announcer
from shared.platform.wake_ups.publisher import Publisher, create_producer
from shared.tables import Intake, Referral
from tests.worker.misbehave import FREEZES, HANGS, KILLS

RED = {"bladder_change": "new_or_worse"}


@contextmanager
def running(
    role: str, environment: dict[str, str], program: str = "services.worker.main"
) -> Iterator[subprocess.Popen]:
    """A worker or watchman of its own, killed with all its children at the end."""
    code = f"from {program} import run_worker; run_worker({role!r})"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        yield process
    finally:
        for one in (*children(process), process):
            one.kill()
        process.wait()


def children(process) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def eventually(condition, seconds: float = 60) -> None:
    """Wait until `condition()` holds; for long, since a busy machine is slow and a pass waits for nothing."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def referrals(sessions):
    def count(**by) -> int:
        with sessions() as session:
            return session.scalar(select(func.count()).select_from(Referral).filter_by(**by))

    return count


@pytest.fixture
def claimed(sessions):
    def any_claimed() -> bool:
        with sessions() as session:
            return session.scalar(select(func.count()).where(Intake.status == "received", Intake.attempts > 0)) > 0

    return any_claimed


@pytest.fixture
def announcer(settings, broker):
    assert not broker.keys()
    producer = create_producer(settings)
    yield Announcer(Publisher(producer).publish)
    producer.close()


def test_an_announcement_has_the_lane_triaged(environment, intake, announcer, referrals):
    with running("urgent", environment):
        for _ in range(25):
            intake(symptoms=RED)
        announcer.announce(triage_wake_up("priority"))
        eventually(lambda: referrals(queue="urgent") == 25)


def test_the_urgent_worker_leaves_the_routine_lane_alone(environment, intake, announcer, referrals):
    with running("urgent", environment):
        intake()
        intake(symptoms=RED)
        announcer.announce(triage_wake_up("routine"))
        announcer.announce(triage_wake_up("priority"))
        eventually(lambda: referrals() == 1)
        time.sleep(0.5)
        assert referrals(queue="urgent") == referrals() == 1


def test_a_worker_that_starts_looks_without_a_message(environment, intake, referrals):
    intake()
    intake(symptoms=RED)
    with running("urgent", environment), running("routine", environment):
        eventually(lambda: referrals() == 2)


def test_no_message_waits_in_a_busy_worker(environment, intake, announcer, broker, referrals, claimed):
    """While one waits in the task queue none is added, and none is kept for a worker that dies."""
    with running("urgent", environment, program="tests.worker.misbehaving_worker"):
        intake(symptoms={**RED, "pain_score": HANGS})
        eventually(claimed)
        for _ in range(5):
            announcer.announce(triage_wake_up("priority"))
            time.sleep(0.05)
            assert broker.llen(triage_queue("priority")) == 1
            assert not referrals()
        # A busy machine may stop the task by its time limit: then the next message has the form tried again.
        eventually(lambda: referrals() == 1 or announcer.announce(triage_wake_up("priority")))
        eventually(lambda: not broker.llen(triage_queue("priority")))


def test_it_can_be_killed_at_any_time(environment, intake, announcer, referrals, claimed):
    """Three times the whole worker dies over its first batches; every intake still becomes one referral."""
    deaths = 3
    for _ in range(deaths):
        for _ in range(150):
            intake()
        with running("routine", environment):
            eventually(lambda: announcer.announce(triage_wake_up("routine")) or claimed())
    with running("routine", environment):
        eventually(lambda: announcer.announce(triage_wake_up("routine")) or referrals() == 150 * deaths)


@pytest.mark.parametrize("harmless", [0, 1])
def test_a_form_that_kills_its_worker_holds_up_nobody(environment, intake, announcer, referrals, harmless):
    """Neither a worker that has just begun, nor one that has triaged something before."""

    def triage_until(count: int) -> None:
        eventually(lambda: announcer.announce(triage_wake_up("priority")) or referrals() == count)

    with running("urgent", environment, program="tests.worker.misbehaving_worker"):
        for _ in range(harmless):
            intake(symptoms=RED)
        triage_until(harmless)
        killer = intake(symptoms={**RED, "pain_score": KILLS})
        for _ in range(5):
            intake(symptoms=RED)
        hang = intake(symptoms={**RED, "pain_score": HANGS})
        triage_until(harmless + 7)
    assert referrals(pattern="triage_failed", queue="urgent") == 2
    assert referrals(pattern="triage_failed", intake_id=killer) == referrals(intake_id=hang) == 1


def test_what_a_frozen_worker_holds_is_let_go_in_time_for_the_watchman(
    environment, intake, announcer, referrals, triager
):
    with running("urgent", environment, program="tests.worker.misbehaving_worker") as worker:
        intake(symptoms=RED)
        eventually(lambda: announcer.announce(triage_wake_up("priority")) or referrals() == 1)
        intake(symptoms={**RED, "pain_score": FREEZES})
        announcer.announce(triage_wake_up("priority"))
        eventually(lambda: psutil.STATUS_STOPPED in {one.status() for one in children(worker)})
        assert triager.triage_waiting("priority") == 0
        eventually(lambda: triager.triage_waiting("priority") == 1, seconds=1.5)


def test_it_stops_softly_and_leaves_no_process(environment):
    with running("routine", environment) as worker:
        eventually(lambda: len(children(worker)) >= 1)
        time.sleep(1)
        family = children(worker)
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(timeout=10) == 0
        eventually(lambda: not any(one.is_running() for one in family), seconds=5)


def test_what_it_has_not_finished_when_it_is_stopped_is_given_back(environment, intake, announcer, claimed, sessions):
    """The forms that hang hold up their batch for longer than a worker that is told to stop may go on."""
    for _ in range(16):
        intake(symptoms={"pain_score": HANGS})
    for _ in range(4):
        intake()
    with running("routine", environment, program="tests.worker.misbehaving_worker") as worker:
        eventually(lambda: announcer.announce(triage_wake_up("routine")) or claimed())
        worker.terminate()
        worker.wait(timeout=20)
        with sessions() as session:
            left = session.scalars(select(Intake.lease_until).where(Intake.status == "received")).all()
    assert left
    assert set(left) == {None}


def test_its_heart_beats_in_a_file(environment, tmp_path):
    file = tmp_path / "heartbeat"
    with running("routine", {**environment, "HEARTBEAT_FILE": str(file)}):
        eventually(file.exists)


def test_it_waits_for_a_broker_that_is_away(environment):
    away = {**environment, "REDIS_URL": "redis://127.0.0.1:1/0"}
    with running("urgent", away) as worker:
        time.sleep(3)
        assert worker.poll() is None
