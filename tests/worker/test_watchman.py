"""The watchman announces what stands still and triages red flags itself, with no broker at all."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import OperationalError

from services.worker.watchman.scheduler import EACH_HOUR, EVERY_ROUND, PeriodicTask, Scheduler
from services.worker.watchman.watchman import Watchman
from shared.platform.task_queues import triage_wake_up
from shared.store.names.idempotency_keys import MAX_KEYS
from shared.tables import IdempotencyKey, Referral

RED = {"bladder_change": "new_or_worse"}


@pytest.fixture
def announced():
    return []


@pytest.fixture
def watchman(triager, announced):
    return Watchman(replace(triager, announce=announced.append))


def referrals(sessions):
    with sessions() as session:
        return list(session.scalars(select(Referral)))


def test_a_red_flag_that_waits_is_triaged_from_here(sessions, intake, watchman):
    intake(symptoms=RED, waited=timedelta(seconds=1))
    watchman.watch()
    watchman.watch()
    assert [referral.queue for referral in referrals(sessions)] == ["urgent"]


def test_a_fresh_red_flag_is_left_to_its_worker(sessions, intake, watchman, announced):
    intake(symptoms=RED)
    watchman.watch()
    assert (referrals(sessions), announced) == ([], [])


def test_what_stands_still_is_announced_again_by_its_lane(intake, watchman, announced):
    intake(waited=timedelta(seconds=5))
    watchman.watch()
    assert announced == [triage_wake_up("routine")]


def test_a_routine_intake_is_never_triaged_from_here(sessions, intake, watchman):
    intake(waited=timedelta(hours=5))
    watchman.watch()
    assert referrals(sessions) == []


def test_nothing_waits_nothing_is_done(watchman, announced):
    watchman.watch()
    assert announced == []


def test_more_red_flags_than_a_batch_are_all_triaged(sessions, intake, watchman):
    for _ in range(25):
        intake(symptoms=RED, waited=timedelta(seconds=2))
    watchman.watch()
    assert len(referrals(sessions)) == 25


def test_two_watchmen_make_one_referral(sessions, intake, watchman):
    intake(symptoms=RED, waited=timedelta(seconds=2))
    watchman.watch()
    Watchman(watchman.triager).watch()
    assert len(referrals(sessions)) == 1


def test_it_goes_on_after_the_database_was_away(sessions, intake, watchman, tmp_path):
    """The first rounds fail as they do when the server is restarted; the next one works and beats the heart."""
    calls = iter([OperationalError("select", {}, Exception("gone"))] * 2)

    def flaky():
        error = next(calls, None)
        if error:
            raise error
        return sessions()

    flaky.begin = sessions.begin
    stop = threading.Event()
    patient = replace(
        watchman, triager=replace(watchman.triager, sessions=flaky), heartbeat_file=tmp_path / "heartbeat"
    )
    intake(symptoms=RED, waited=timedelta(seconds=2))
    thread = threading.Thread(target=patient.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 20
    while not (tmp_path / "heartbeat").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join()
    assert len(referrals(sessions)) == 1


def test_idempotency_keys_are_forgotten_after_a_week(sessions, intake, watchman):
    intake_id = intake()
    ages = {"young": timedelta(days=6, hours=23), "old": timedelta(days=7, minutes=1)}
    with sessions.begin() as session:
        for key, age in ages.items():
            row = {"facility": "st-marys", "key": key, "intake_id": intake_id, "created_at": func.now() - age}
            session.execute(insert(IdempotencyKey).values(row))
    watchman.clean_up()
    watchman.clean_up()
    with sessions() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == ["young"]


def test_keys_that_gathered_while_nobody_watched_are_forgotten(watchman, sessions, intake):
    one = {"intake": intake(), "count": MAX_KEYS + 1}
    with sessions.begin() as session:
        session.execute(
            text("""
                insert into idempotency_keys (facility, key, intake_id, created_at)
                select 'st-marys', number, :intake, now() - interval '8 days' from generate_series(1, :count) as number
            """),
            one,
        )
    watchman.clean_up()
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0


def test_a_task_that_fails_holds_up_no_other():
    def fail():
        raise KeyError("whatever")

    done = []
    scheduler = Scheduler(
        [PeriodicTask("first", EVERY_ROUND, fail), PeriodicTask("second", EVERY_ROUND, lambda: done.append("second"))]
    )
    assert [scheduler.run_due(), scheduler.run_due()] == [False, False]
    assert done == ["second", "second"]


def test_a_task_is_done_at_once_and_then_when_it_is_due():
    done = []
    scheduler = Scheduler(
        [
            PeriodicTask("often", EVERY_ROUND, lambda: done.append("often")),
            PeriodicTask("rarely", EACH_HOUR, done.clear),
        ]
    )
    assert [scheduler.run_due(), scheduler.run_due(), scheduler.run_due()] == [True, True, True]
    assert done == ["often", "often"]


def test_a_task_that_waits_does_not_delay_a_red_flag(sessions, intake, watchman):
    over, stop = threading.Event(), threading.Event()

    class Waiting(Watchman):
        """Another task is waiting for something, all the while."""

        def others(self):
            return [PeriodicTask("waits", EVERY_ROUND, over.wait)]

    thread = threading.Thread(target=Waiting(watchman.triager).run, args=(stop,))
    thread.start()
    intake(symptoms=RED, waited=timedelta(seconds=2))
    deadline = time.monotonic() + 20
    while not referrals(sessions) and time.monotonic() < deadline:
        time.sleep(0.05)
    routed = referrals(sessions)
    stop.set()
    over.set()
    thread.join()
    assert [referral.queue for referral in routed] == ["urgent"]
