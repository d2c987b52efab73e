"""Each delivery reaches its department at least once, always under one id, however the department behaves."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from uuid_utils.compat import uuid7

from shared.platform.task_queues import DELIVERY_QUEUES
from shared.store.delivery.deliveries import (
    AT_ONCE,
    finish_attempt,
    lease_delivery,
    park_undeliverable,
    stalled_deliveries,
)
from shared.store.delivery.parked import discard, retry
from shared.store.event_log.texts import opened_data
from shared.tables import Delivery, EventText
from tests import receiver
from tests.receiver import in_turn, status
from tests.worker.delivery.conftest import ATTEMPT_SECONDS

HEALING = {
    **{f"http_{code}": status(code) for code in (408, 409, 425, 429, 500, 502, 503, 504)},
    "no_http_answer": receiver.garbage,
    "timed_out": receiver.hang,
}
FINAL = {f"http_{code}": status(code) for code in (301, 302, 304, 307, 400, 401, 403, 404, 422)}


def test_a_department_gets_a_signed_thin_webhook(department, refer, dispatcher, stored):
    urgent = department()
    (due,) = refer()
    dispatcher.deliver(due)
    (received,) = urgent.receiver.received
    payload = received.verified(urgent.secret)
    assert received.webhook_id == str(due)
    assert received.headers["content-type"] == "application/json"
    assert payload["type"] == "referral.queued"
    assert payload["data"]["red_flags"] == ["RF_BLADDER_BOWEL"]
    assert stored.delivery(due).status == "delivered"
    (attempt,) = stored.attempts(due)
    assert (attempt.attempt, attempt.http_status, attempt.error) == (1, 200, None)


def test_delivering_twice_is_delivering_once(department, refer, dispatcher):
    urgent = department()
    (due,) = refer()
    assert dispatcher.deliver(due) == 1
    assert dispatcher.deliver(due) == 0
    assert len(urgent.receiver.received) == 1


def test_one_message_has_everything_delivered_that_waits_for_the_destination(department, refer, dispatcher, stored):
    urgent = department()
    due = refer(5)
    assert dispatcher.deliver(due[3]) == 5
    assert urgent.receiver.ids[0] == str(due[3])
    assert sorted(urgent.receiver.ids) == sorted(map(str, due))
    assert set(stored.statuses()) == {"delivered"}


def test_a_message_about_what_is_done_still_has_the_rest_delivered(department, refer, dispatcher):
    urgent = department()
    (first,) = refer()
    dispatcher.deliver(first)
    refer()
    assert dispatcher.deliver(first) == 1
    assert len(urgent.receiver.received) == 2


@pytest.mark.parametrize("error", HEALING)
def test_what_time_heals_is_due_again_and_arrives_under_the_same_id(error, department, refer, dispatcher, stored):
    urgent = department(answer=in_turn(HEALING[error], status(200)))
    (due,) = refer()
    dispatcher.deliver(due)
    failed = stored.delivery(due)
    assert (failed.status, failed.error, failed.lease_until) == ("due", error, None)
    assert stored.destination(urgent).failures == 1
    assert dispatcher.deliver(due) == 0, "it rests"
    stored.come_due()
    dispatcher.deliver(due)
    assert stored.delivery(due).status == "delivered"
    assert stored.destination(urgent).failures == 0
    first, second = urgent.receiver.received
    assert first.webhook_id == second.webhook_id == str(due)
    assert first.body == second.body
    assert second.verified(urgent.secret)


def test_a_system_that_hangs_up_or_is_not_there_is_tried_again(department, refer, dispatcher, stored):
    urgent = department(answer=receiver.hang_up)
    (due,) = refer()
    dispatcher.deliver(due)
    urgent.receiver.close()
    stored.come_due()
    dispatcher.deliver(due)
    assert [attempt.error for attempt in stored.attempts(due)] == ["no_http_answer", "connect_failed"]
    assert stored.delivery(due).status == "due"


@pytest.mark.parametrize("error", FINAL)
def test_what_time_does_not_heal_is_parked_at_once(error, department, refer, dispatcher, stored):
    urgent = department(answer=FINAL[error])
    (due,) = refer()
    dispatcher.deliver(due)
    parked = stored.delivery(due)
    assert (parked.status, parked.error) == ("parked", error)
    assert stored.destination(urgent).status == "active"
    (event,) = stored.events("delivery.parked")
    assert event.data == {"delivery": str(due), "destination": str(urgent.id), "error": error}
    assert event.referral_id == parked.referral_id


def test_a_redirect_is_not_followed(department, refer, dispatcher):
    elsewhere = department("neurology")
    urgent = department(answer=status(307, location=elsewhere.receiver.url))
    (due,) = refer()
    dispatcher.deliver(due)
    assert (len(urgent.receiver.received), elsewhere.receiver.received) == (1, [])


@pytest.mark.parametrize("asked", ["7200", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_is_honoured_up_to_a_day(asked, department, refer, dispatcher, stored):
    department(answer=status(429, retry_after=asked))
    (due,) = refer()
    dispatcher.deliver(due)
    assert 7000 < stored.seconds_until_due(due) <= 86_400


def test_a_destination_that_is_gone_is_disabled_and_serves_everything_after_a_retry(
    department, refer, dispatcher, stored, sessions
):
    urgent = department(answer=in_turn(status(410), status(200)))
    due = refer(3)
    dispatcher.deliver(due[0])
    assert stored.destination(urgent).status == "disabled"
    assert stored.statuses() == ["parked"] * 3
    assert {stored.delivery(each).error for each in due} == {"gone", "destination_disabled"}
    with sessions.begin() as session:
        assert {again.id for again in retry(session, due)} == set(due)
        assert retry(session, due) == []
    dispatcher.deliver(due[1])
    assert stored.statuses() == ["delivered"] * 3
    assert set(urgent.receiver.ids) == {str(each) for each in due}
    assert [attempt.attempt for attempt in stored.attempts(due[0])] == [1, 2]


def test_patience_ends_after_three_days_and_begins_anew_with_a_retry(department, refer, dispatcher, stored, sessions):
    department(answer=status(500))
    (due,) = refer()
    with sessions.begin() as session:
        session.execute(update(Delivery).values(due_since=func.now() - timedelta(days=3)))
    dispatcher.deliver(due)
    assert (stored.delivery(due).status, stored.delivery(due).error) == ("parked", "http_500")
    with sessions.begin() as session:
        retry(session, [due])
    dispatcher.deliver(due)
    assert (stored.delivery(due).status, stored.delivery(due).attempts) == ("due", 2)


def test_what_a_person_discards_is_never_sent_again(department, refer, dispatcher, stored, sessions, cipher):
    urgent = department(answer=status(404))
    (due,) = refer()
    dispatcher.deliver(due)
    for expected in (1, 0):
        with sessions.begin() as session:
            assert discard(session, [due], by="Dr A. Okafor", reason="told by telephone", cipher=cipher) == expected
            assert retry(session, [due]) == []
    dispatcher.deliver(due)
    assert (stored.delivery(due).status, len(urgent.receiver.received)) == ("discarded", 1)
    (event,) = stored.events("delivery.discarded")
    assert (event.by, "reason" in event.data) == ("Dr A. Okafor", False)
    with sessions() as session:
        sealed = session.scalars(select(EventText.sealed).where(EventText.id == event.text_id)).one()
    assert opened_data(cipher, event.data, event.text_id, sealed)["reason"] == "told by telephone"


def test_a_worker_that_was_killed_leaves_a_lease_that_runs_out(department, refer, dispatcher, stored, sessions):
    urgent = department()
    (due,) = refer()
    with sessions.begin() as session:
        killed = lease_delivery(session, due)
    assert dispatcher.deliver(due) == 0, "somebody has it"
    stored.leases_run_out()
    dispatcher.deliver(due)
    assert urgent.receiver.ids == [str(due)]
    assert (killed.attempt, stored.delivery(due).attempts) == (1, 2)


def test_whoever_comes_too_late_changes_nothing_but_leaves_its_attempt(department, refer, dispatcher, stored, sessions):
    department()
    (due,) = refer()
    with sessions.begin() as session:
        slow = lease_delivery(session, due)
    stored.leases_run_out()
    dispatcher.deliver(due)
    ended = dispatcher._attempt(slow)  # noqa: SLF001 - what the slow one was doing meanwhile
    for _ in range(2):
        with sessions.begin() as session:
            assert not finish_attempt(session, slow, ended)
    assert stored.delivery(due).status == "delivered"
    assert [attempt.attempt for attempt in stored.attempts(due)] == [1, 2]


def test_nothing_is_due_forever_to_a_destination_that_is_not_served(department, refer, stored, sessions):
    gone = department()
    (due,) = refer()
    with sessions.begin() as session:
        session.execute(text("update destinations set status = 'removed'"))
    for expected in (1, 0):
        with sessions.begin() as session:
            assert park_undeliverable(session) == expected
    assert stored.delivery(due).error == "destination_removed"
    with sessions.begin() as session:
        assert retry(session, [due]) == [], "there is nowhere to send it"
    assert stored.destination(gone).status == "removed"


def test_no_transaction_is_open_while_a_department_keeps_us_waiting(department, refer, dispatcher, sessions):
    urgent = department(answer=receiver.hang)
    (due,) = refer()
    thread = threading.Thread(target=dispatcher.deliver, args=(due,))
    thread.start()
    urgent.receiver.wait_for(1)
    with sessions() as session:
        clients = "select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        states = set(session.scalars(text(f"{clients} and backend_type = 'client backend'")))
        assert session.scalar(select(func.count()).where(Delivery.lease_until.is_not(None))) == 1
    thread.join()
    assert states <= {"idle"}


def test_a_destination_is_never_attempted_more_often_at_once_than_allowed(department, refer, dispatcher, stored):
    urgent = department(answer=slowly)
    due = refer(12)
    threads = [threading.Thread(target=dispatcher.deliver, args=(each,)) for each in due]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while "due" in stored.statuses():
        dispatcher.deliver(due[0])
    assert 1 < urgent.receiver.most_open <= AT_ONCE
    assert sorted(urgent.receiver.ids) == sorted(map(str, due))


def slowly(connection):
    time.sleep(0.2)
    status(200)(connection)


def test_a_dead_destination_costs_one_attempt_at_a_time(department, refer, dispatcher, stored):
    urgent = department(answer=status(500))
    due = refer(6)
    for each in due:
        dispatcher.deliver(each)
    assert len(urgent.receiver.received) == 1, "the others wait for it to rest"
    stored.come_due()
    urgent.receiver.answer = receiver.hang
    threads = [threading.Thread(target=dispatcher.deliver, args=(each,)) for each in due]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urgent.receiver.received) == 2


def test_a_destination_rests_longer_after_each_failure(department, refer, dispatcher, stored):
    urgent = department(answer=status(500))
    (due,) = refer()
    for failures, rest in ((1, 1), (2, 2), (3, 4)):
        dispatcher.deliver(due)
        failed = stored.destination(urgent)
        rested = failed.rests_until - stored.attempts(due)[-1].at
        assert (failed.failures, round(rested.total_seconds())) == (failures, rest)
        stored.come_due()


def test_when_a_destination_is_back_nothing_waits_any_longer_but_what_it_asked_to(
    department, refer, dispatcher, stored
):
    down = in_turn(status(429, retry_after="3600"), *[status(503)] * 4, status(200))
    urgent = department(answer=down)
    asked, first = refer(2)
    dispatcher.deliver(asked)
    for _ in range(4):
        stored.come_due(but=asked)
        dispatcher.deliver(first)
    assert stored.seconds_until_due(first) > 3
    (second,) = set(refer()) - {asked, first}
    stored.rests_are_over()
    dispatcher.deliver(second)
    assert {stored.delivery(each).status for each in (first, second)} == {"delivered"}
    assert stored.seconds_until_due(asked) > 3000
    assert len(urgent.receiver.received) == 7


def test_what_stands_still_is_found_once_for_each_destination(department, refer, sessions):
    one, other = department(), department()
    refer(3)

    def found(age=timedelta()):
        with sessions() as session:
            return {each.destination_id for each in stalled_deliveries(session, age=age, queues=DELIVERY_QUEUES)}

    assert found() == {one.id, other.id}
    assert found(timedelta(minutes=1)) == set()
    with sessions.begin() as session:
        session.execute(
            text("update destinations set rests_until = now() + interval '1 minute' where id = :id"), {"id": one.id}
        )
    assert found() == {other.id}
    with sessions() as session:
        assert stalled_deliveries(session, age=timedelta(), queues=("neurology",)) == []


def test_a_delivery_that_nobody_knows_is_nothing(dispatcher):
    assert dispatcher.deliver(uuid7()) == 0


@pytest.mark.parametrize("behaviour", [receiver.drip, receiver.hang])
def test_an_attempt_ends_by_its_deadline(behaviour, department, refer, dispatcher, stored):
    department(answer=behaviour)
    (due,) = refer()
    dispatcher.deliver(due)
    (attempt,) = stored.attempts(due)
    assert attempt.error == "timed_out"
    assert attempt.duration_ms < ATTEMPT_SECONDS * 1000 + 2000


@pytest.mark.parametrize("behaviour", [receiver.drip_body, receiver.flood])
def test_a_body_without_end_is_not_read(behaviour, department, refer, dispatcher, stored):
    urgent = department(answer=behaviour)
    (due,) = refer()
    dispatcher.deliver(due)
    (attempt,) = stored.attempts(due)
    assert attempt.http_status == 200
    assert attempt.duration_ms < ATTEMPT_SECONDS * 1000 + 2000
    assert urgent.receiver.sent_bytes < 16 * 2**20, "what is beyond 64 KiB fits into the sockets' buffers"
