"""Real delivery workers on a real broker: who misbehaves delays no other, and no outage loses anything."""

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from services.worker.delivery.stalled import StalledDeliverer, announce_stalled
from shared.platform.task_queues import delivery_wake_up
from shared.platform.wake_ups.announcer import Announcer
from shared.platform.wake_ups.publisher import Publisher, create_producer
from shared.store.delivery.deliveries import AT_ONCE
from shared.tables import Delivery, Destination
from tests import receiver
from tests.receiver import in_turn, status
from tests.worker.delivery.patient_worker import ATTEMPT_SECONDS
from tests.worker.test_celery import eventually, running


@pytest.fixture
def of_workers(environment):
    return {**environment, "DESTINATIONS_ALLOW_LOOPBACK": "true"}


@pytest.fixture
def announce(settings, broker):
    assert not broker.keys()
    producer = create_producer(settings)
    yield Announcer(Publisher(producer).publish).announce
    producer.close()


@pytest.fixture
def watch(sessions, announce):
    """A watchman's rounds, as far as they concern deliveries."""
    stop = threading.Event()

    def rounds():
        while not stop.wait(0.25):
            announce_stalled(sessions, announce)

    thread = threading.Thread(target=rounds)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_an_announcement_has_the_webhook_sent(of_workers, department, refer, announce):
    urgent = department()
    with running("urgent-delivery", of_workers):
        (due,) = refer()
        announce(delivery_wake_up(due, "urgent"))
        (received,) = urgent.receiver.wait_for(1)
    assert received.verified(urgent.secret)["type"] == "referral.queued"


def test_departments_that_hang_or_drip_delay_no_neighbour(of_workers, department, refer, announce):
    """Twenty red flags for each of four: two never answer, one drips, and the fourth hears of all at once.

    An attempt may take longer here than the test waits: who waited for the end of one would be too late.
    """
    slow = [department(answer=receiver.hang), department(answer=receiver.hang), department(answer=receiver.drip)]
    quick = department()
    with running("urgent-delivery", of_workers, program="tests.worker.delivery.patient_worker"):
        refer(20)
        for due in refer(0):
            announce(delivery_wake_up(due, "urgent"))
        quick.receiver.wait_for(20, seconds=ATTEMPT_SECONDS - 10)
    assert all(each.receiver.most_open <= AT_ONCE for each in slow)


@pytest.mark.usefixtures("watch")
def test_a_worker_can_be_killed_at_any_time(of_workers, department, refer, stored):
    """It dies in the middle of an attempt; the next one delivers under the same ids, at least once."""
    urgent = department(answer=receiver.hang)
    due = refer(6)
    with running("urgent-delivery", of_workers):
        urgent.receiver.wait_for(1)
    assert stored.statuses() == ["due"] * 6
    urgent.receiver.answer = status(200)
    stored.leases_run_out()
    with running("urgent-delivery", of_workers):
        eventually(lambda: set(stored.statuses()) == {"delivered"})
    assert set(urgent.receiver.ids) == {str(each) for each in due}


@pytest.mark.usefixtures("watch")
def test_two_workers_never_exceed_what_one_destination_is_sent_at_once(of_workers, department, refer, stored):
    urgent = department(answer=slowly)
    refer(16)
    with running("urgent-delivery", of_workers), running("urgent-delivery", of_workers):
        eventually(lambda: set(stored.statuses()) == {"delivered"})
    assert 1 < urgent.receiver.most_open <= AT_ONCE
    assert len(set(urgent.receiver.ids)) == 16


def slowly(connection):
    time.sleep(0.3)
    status(200)(connection)


@pytest.mark.usefixtures("watch")
def test_a_department_that_fails_for_a_while_hears_of_everything(of_workers, department, refer, stored):
    failing = in_turn(status(500), receiver.garbage, status(429), receiver.hang_up, status(200))
    urgent = department(answer=failing)
    due = refer(5)
    with running("urgent-delivery", of_workers):
        eventually(lambda: stored.come_due() or set(stored.statuses()) == {"delivered"})
    assert set(urgent.receiver.ids) == {str(each) for each in due}


@pytest.mark.usefixtures("watch")
def test_it_goes_on_after_the_broker_lost_every_connection_and_message(of_workers, department, refer, broker, stored):
    department()
    with running("urgent-delivery", of_workers):
        for _ in range(20):
            refer()
            broker.client_kill_filter(skipme=True, _type="normal")
            broker.flushall()
        eventually(lambda: set(stored.statuses()) == {"delivered"})


def test_the_urgent_worker_leaves_the_other_queues_alone(of_workers, department, refer, announce, sessions):
    neurology = department("neurology")
    urgent = department()
    (due,) = refer()
    with sessions.begin() as session:
        session.execute(update(Delivery).values(queue="neurology"))
    with running("urgent-delivery", of_workers):
        announce(delivery_wake_up(due, "neurology"))
        time.sleep(3)
    assert urgent.receiver.received == neurology.receiver.received == []
    with running("delivery", of_workers):
        urgent.receiver.wait_for(1)


def test_it_stops_softly_and_lets_the_attempt_end(of_workers, department, refer, announce, stored):
    urgent = department(answer=lambda connection: time.sleep(2) or status(200)(connection))
    with running("urgent-delivery", of_workers) as worker:
        for due in refer(3):
            announce(delivery_wake_up(due, "urgent"))
        urgent.receiver.wait_for(1)
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
    assert stored.statuses().count("delivered") == len(urgent.receiver.received)


def test_its_heart_beats_in_a_file(of_workers, tmp_path):
    file = tmp_path / "heartbeat"
    with running("delivery", {**of_workers, "HEARTBEAT_FILE": str(file)}):
        eventually(file.exists)


def test_nothing_of_the_secret_or_the_url_is_logged(of_workers, department, refer, announce, capfd, stored):
    urgent = department(path="/canary?token=canary", answer=in_turn(status(500), status(404)))
    with running("urgent-delivery", {**of_workers, "LOG_LEVEL": "DEBUG"}):
        (due,) = refer()
        eventually(
            lambda: announce(delivery_wake_up(due, "urgent")) or stored.come_due() or "parked" in stored.statuses()
        )
    said = capfd.readouterr().err
    assert "delivery.failed" in said
    assert "delivery.parked" in said
    assert str(urgent.id) in said
    assert [told for told in ("canary", "127.0.0.1", "whsec_", urgent.secret[6:20]) if told in said] == []


def test_while_the_broker_is_away_urgent_ones_are_delivered_by_the_stand_in(dispatcher, department, refer, sessions):
    urgent, silent = department(), department(answer=receiver.hang)
    neurology = department("neurology")
    refer(3)
    stand_in, stop = StalledDeliverer(dispatcher), threading.Event()
    stand_in.look()
    assert urgent.receiver.received == [], "the workers have three seconds"
    with sessions.begin() as session:
        session.execute(update(Delivery).values(due_at=func.now() - timedelta(seconds=4)))
    begin = time.monotonic()
    stand_in.look()
    assert time.monotonic() - begin < 1, "it waits for nobody"
    urgent.receiver.wait_for(3)
    silent.receiver.wait_for(1)
    stand_in.start(stop)
    stop.set()
    eventually(dispatcher.stopping.is_set)
    assert neurology.receiver.received == []
    with sessions() as session:
        delivered = select(func.count()).where(Delivery.status == "delivered")
        eventually(lambda: session.scalar(delivered) == 3)


def test_what_stands_still_is_announced_once_for_each_destination(sessions, department, refer):
    department()
    department()
    refer(3)
    announced = []
    announce_stalled(sessions, announced.append)
    assert announced == [], "it has only just come"
    with sessions.begin() as session:
        session.execute(update(Delivery).values(due_at=func.now() - timedelta(seconds=2)))
    announce_stalled(sessions, announced.append)
    assert [wake_up.queue for wake_up in announced] == ["urgent"] * 2


def test_a_secret_that_does_not_open_is_for_people(dispatcher, department, refer, stored):
    urgent = department()
    (due,) = refer()
    replace(dispatcher, cipher=type(dispatcher.cipher)({"other": bytes(32)})).deliver(due)
    assert stored.delivery(due).error == "secret_unreadable"
    assert urgent.receiver.received == []


@pytest.mark.parametrize("secret", [b"", b"\x04", b"\x04test", b"\xff" * 40, bytes(40), b"\x04te\xff\xfe" + bytes(60)])
def test_a_damaged_secret_is_for_people_too(secret, dispatcher, department, refer, stored, sessions):
    urgent = department()
    (due,) = refer()
    with sessions.begin() as session:
        session.execute(update(Destination).values(secret=secret))
    dispatcher.deliver(due)
    assert (stored.delivery(due).status, stored.delivery(due).error) == ("parked", "secret_unreadable")
    assert urgent.receiver.received == []
