"""A contact that is overdue is said once, whatever number of watchmen look, and by the watchman alone."""

import threading

import pytest
from sqlalchemy import func, select, text, update

from services.worker.watchman.contacts import ContactWatch
from services.worker.watchman.watchman import Watchman
from shared.store.contact.overdue import mark_overdue
from shared.tables import Event, Referral

PASSED = text("update referrals set contact_by = now() - interval '1 minute'")


@pytest.fixture
def watch(sessions):
    return ContactWatch(sessions, lambda _: None)


def said(sessions):
    with sessions() as session:
        overdue = select(Event.referral_id).where(Event.type == "referral.contact_overdue").order_by(Event.id)
        return session.scalars(overdue).all()


def pass_time(sessions, statement=PASSED):
    with sessions.begin() as session:
        session.execute(statement)


def test_two_watchmen_say_it_once(sessions, referral, watch):
    routed = {referral().id for _ in range(20)}
    pass_time(sessions)
    go = threading.Barrier(4)

    def look():
        go.wait()
        for _ in range(5):
            watch.look()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said(sessions)) == sorted(routed)


@pytest.mark.parametrize(
    "ended",
    [
        {"status": "returned"},
        {"contacted_by": "A", "contacted_at": func.now(), "contacted_outcome": "reached"},
        {"contact_by": None},
    ],
    ids=["closed", "contacted", "never"],
)
def test_what_waits_for_no_contact_is_not_said(ended, sessions, referral, watch):
    referral()
    pass_time(sessions)
    pass_time(sessions, update(Referral).values(**ended))
    watch.look()
    assert said(sessions) == []


def test_an_acknowledgement_does_not_stop_it(sessions, referral, watch):
    routed = referral()
    pass_time(sessions)
    held = {"status": "acknowledged", "acknowledged_by": "A", "acknowledged_at": func.now()}
    pass_time(sessions, update(Referral).values(**held))
    watch.look()
    assert said(sessions) == [routed.id]


def test_the_longest_overdue_come_first_and_the_rest_the_next_time(sessions, referral):
    first, second = referral(), referral()
    for each, minutes in ((first, 1), (second, 2)):
        ago = f"update referrals set contact_by = now() - interval '{minutes} minutes' where id = '{each.id}'"  # noqa: S608
        pass_time(sessions, text(ago))
    for expected in ([second.id], [first.id], []):
        with sessions.begin() as session:
            assert [each.referral_id for each in mark_overdue(session, limit=1)[0]] == expected


def test_it_is_a_task_of_each_round_of_the_watchman(triager):
    tasks = {task.name: task for task in Watchman(triager).others()}
    assert tasks["contacts"].every == 0
