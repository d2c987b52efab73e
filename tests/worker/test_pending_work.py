"""The watchman asks once whether there is anything to do, and does what there is: no less than if it had not asked."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text, update

from services.worker.watchman.scheduler import EVERY_ROUND, PeriodicTask, Scheduler
from services.worker.watchman.watchman import Watchman
from shared.platform.database import autocommit
from shared.store.operations.pending_work import pending_work
from shared.store.queues import MAX_CHANGES
from shared.tables import Delivery, Destination, Event, QueueChange, Referral

AGE = timedelta(seconds=1)
NOTHING = {"escalation": False, "deliveries": False, "numbers": False, "queues": False, "contacts": False}


@pytest.fixture
def work(sessions):
    """Return a function that names the tasks that have something to do."""

    def names():
        with autocommit(sessions) as session:
            return {task for task, something in pending_work(session, age=AGE).items() if something}

    return names


@pytest.fixture
def settled(triager, destination, referral, work):
    """A referral of which a destination was told and that nobody has to look at again for now."""
    destination()
    told = referral()
    Scheduler(Watchman(triager).others()).run_due()
    assert work() == set()
    return told


def change(sessions, table, **values):
    with sessions.begin() as session:
        session.execute(update(table).values(**values))


def test_in_an_empty_service_nothing_is_due(sessions):
    with autocommit(sessions) as session:
        assert pending_work(session, age=AGE) == NOTHING


def test_an_event_without_a_number_is_seen(referral, work):
    referral()
    assert work() == {"numbers"}


@pytest.mark.usefixtures("settled")
def test_a_rung_that_is_due_is_seen(sessions, work):
    change(sessions, Referral, escalate_at=func.now() - timedelta(seconds=1))
    assert work() == {"escalation"}
    change(sessions, Referral, escalate_at=func.now() + timedelta(minutes=1))
    assert work() == set()


@pytest.mark.usefixtures("settled")
def test_a_contact_that_is_overdue_is_seen_once(sessions, triager, work):
    change(sessions, Referral, contact_by=func.now() - timedelta(seconds=1))
    assert work() == {"contacts"}
    Scheduler(Watchman(triager).others(), Watchman(triager).has_work).run_due()
    assert work() == {"numbers"}


@pytest.mark.usefixtures("settled")
def test_a_delivery_that_stands_still_is_seen_unless_it_is_being_made(sessions, work):
    change(sessions, Delivery, due_at=func.now() - timedelta(seconds=2))
    assert work() == {"deliveries"}
    change(sessions, Delivery, lease_until=func.now() + timedelta(minutes=1))
    assert work() == set()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("status", ["disabled", "removed"])
def test_a_delivery_that_can_never_be_made_is_seen_at_once(sessions, work, status):
    change(sessions, Destination, status=status)
    assert work() == {"deliveries"}


@pytest.mark.usefixtures("settled")
def test_what_a_resting_destination_has_is_left_until_it_has_rested(sessions, work):
    change(sessions, Delivery, due_at=func.now() - timedelta(seconds=2))
    change(sessions, Destination, rests_until=func.now() + timedelta(minutes=1))
    assert work() == set()


def test_many_changes_of_a_queue_are_seen(sessions, work):
    row = {"facility": "st-marys", "queue": "urgent", "priority": 0, "status": "queued", "change": 1}
    with sessions.begin() as session:
        session.execute(insert(QueueChange), [row] * (MAX_CHANGES - 1))
    assert work() == set()
    with sessions.begin() as session:
        session.execute(insert(QueueChange).values(**row))
    assert work() == {"queues"}


def test_a_watchman_that_looks_first_does_what_is_due(sessions, triager, referral, work):
    watchman = Watchman(triager)
    scheduler = Scheduler(watchman.others(), watchman.has_work)
    scheduler.run_due()
    referral()
    change(sessions, Referral, escalate_at=func.now() - timedelta(seconds=1))
    assert [scheduler.run_due(), scheduler.run_due()] == [True, True]
    assert work() == set()
    with sessions() as session:
        assert session.scalars(select(Event.type).order_by(Event.number)).all() == [
            "referral.queued",
            "referral.escalated",
        ]


def test_only_duties_that_are_known_to_have_nothing_to_do_are_left_out():
    done = []
    tasks = [
        PeriodicTask(name, EVERY_ROUND, lambda name=name: done.append(name)) for name in ("idle", "busy", "unknown")
    ]
    assert Scheduler(tasks, lambda: {"idle": False, "busy": True}).run_due()
    assert done == ["busy", "unknown"]


def test_where_the_question_fails_every_duty_is_done():
    def fail():
        raise KeyError("whatever")

    done = []
    assert Scheduler([PeriodicTask("first", EVERY_ROUND, lambda: done.append("first"))], fail).run_due()
    assert done == ["first"]


def test_a_look_is_one_statement_that_stays_prepared(sessions):
    with autocommit(sessions) as session:
        for _ in range(10):
            session.execute(text("select 1 as looked"))
    with autocommit(sessions) as session:
        prepared = session.scalars(text("select statement from pg_prepared_statements")).all()
    with sessions() as session:
        level = session.connection().get_isolation_level()
    assert "select 1 as looked" in prepared
    assert level == "READ COMMITTED", "the connection is as it was"
