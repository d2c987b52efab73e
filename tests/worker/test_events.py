"""Events are only ever added, numbered without gaps in the order in which they became visible, and sent on once."""

import threading
from datetime import UTC

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from shared.store.delivery.deliveries import park_undeliverable
from shared.store.event_log.events import append_events
from shared.store.event_log.feed import digest, number
from shared.store.numbering import NOTHING
from shared.tables import Delivery, Event, Referral


def acknowledged(referral):
    return {"type": "referral.acknowledged", "referral_id": referral.id, "intake_id": referral.intake_id, "by": "A"}


def stored_deliveries(sessions):
    with sessions() as session:
        return {delivery.destination_id: delivery for delivery in session.scalars(select(Delivery))}


def numbered(sessions):
    with sessions() as session:
        return session.scalars(select(Event).where(Event.number.is_not(None)).order_by(Event.number)).all()


def test_triage_makes_one_delivery_for_each_destination_that_listens(sessions, destination, referral):
    everybody, own = destination(), destination(facility="st-marys")
    destination(facility="elsewhere")
    destination("neurology")
    destination(escalation_level=1)
    routed = referral()
    assert stored_deliveries(sessions).keys() == {everybody, own}
    payload = stored_deliveries(sessions)[own].payload
    assert payload["type"] == "referral.queued"
    assert payload["data"] == {
        "referral_id": str(routed.id),
        "reference": routed.reference,
        "intake_id": str(routed.intake_id),
        "queue": "urgent",
        "priority": "emergency",
        "status": "queued",
        "escalation_level": 0,
        "red_flags": ["RF_BLADDER_BOWEL"],
        "ambulance": False,
        "contact_by": f"{routed.contact_by.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "link": f"/v1/referrals/{routed.id}",
    }


def test_an_event_is_told_to_a_destination_once(sessions, destination, referral):
    destination()
    routed = referral()
    with sessions.begin() as session:
        (due,) = append_events(session, [acknowledged(routed)])
        ids = session.scalars(select(Event.id)).all()
        deliveries = session.scalars(select(Delivery.event_id)).all()
    assert (due.queue, len(ids)) == ("urgent", 2)
    assert sorted(deliveries) == sorted(ids)
    again = """
        insert into deliveries (id, destination_id, referral_id, event_id, queue, payload)
        select gen_random_uuid(), destination_id, referral_id, event_id, queue, payload from deliveries
    """
    with pytest.raises(IntegrityError, match="uq_deliveries_event_id_destination_id"), sessions.begin() as session:
        session.execute(text(again))


def test_what_is_for_a_disabled_destination_is_parked_and_the_timeline_says_so(sessions, destination, referral):
    gone = destination(status="disabled")
    destination(status="removed")
    referral()
    with sessions.begin() as session:
        assert park_undeliverable(session) == 1
        assert park_undeliverable(session) == 0
    (delivery,) = stored_deliveries(sessions).values()
    assert (delivery.destination_id, delivery.status, delivery.error) == (gone, "parked", "destination_disabled")
    with sessions() as session:
        (said,) = session.scalars(select(Event).where(Event.type == "delivery.parked"))
    assert said.data == {"delivery": str(delivery.id), "destination": str(gone), "error": "destination_disabled"}


def test_a_rung_hears_of_its_call_and_then_of_what_ends_the_case(sessions, destination, referral):
    first, second = destination(escalation_level=1), destination(escalation_level=2)
    routed = referral()
    with sessions.begin() as session:
        session.execute(update(Referral).values(escalation_level=1))
        called = append_events(session, [{**acknowledged(routed), "type": "referral.escalated", "data": {"level": 1}}])
        ended = append_events(session, [acknowledged(routed)])
    with sessions() as session:
        to = dict(session.execute(select(Delivery.id, Delivery.destination_id)).all())
    assert [to[due.id] for due in (*called, *ended)] == [first, first]
    assert second not in stored_deliveries(sessions)


def test_the_queue_that_a_referral_leaves_hears_of_it(sessions, destination, referral):
    left, joined = destination("urgent"), destination("neurology")
    routed = referral()
    moved = {**acknowledged(routed), "type": "referral.rerouted", "data": {"from": "urgent", "to": "neurology"}}
    with sessions.begin() as session:
        session.execute(update(Referral).values(queue="neurology"))
        due = append_events(session, [moved])
    with sessions() as session:
        to = session.execute(select(Delivery.destination_id, Delivery.queue).where(Delivery.id.in_(d.id for d in due)))
        assert set(to.all()) == {(left, "urgent"), (joined, "neurology")}


def test_an_event_is_never_changed_removed_or_numbered_again(sessions, referral):
    referral()
    with sessions.begin() as session:
        number(session)
    for change in ("update events set type = 'x'", "update events set number = 7", "delete from events"):
        with pytest.raises(IntegrityError, match="only ever added"), sessions.begin() as session:
            session.execute(text(change))
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(text("truncate events cascade"))


def test_numbers_follow_each_other_and_digests_chain(sessions, referral):
    routed = referral()
    with sessions.begin() as session:
        append_events(session, [acknowledged(routed)] * 3)
    for _ in range(2):
        with sessions.begin() as session:
            number(session)
    before = NOTHING.digest
    for place, event in enumerate(numbered(sessions), start=1):
        content = (event.type, event.at, event.referral_id, event.intake_id, event.by, event.data)
        before = digest(before, place, *content)
        assert (event.number, event.digest) == (place, before)
    assert event.number == 4


def test_an_event_that_commits_late_is_numbered_late(sessions, referral):
    """A reader that has seen number n never misses what a slower transaction had begun before."""
    routed = referral()
    with sessions() as slow:
        append_events(slow, [{**acknowledged(routed), "by": "slow"}])
        with sessions.begin() as session:
            append_events(session, [{**acknowledged(routed), "by": "quick"}])
        with sessions.begin() as session:
            assert number(session) == 2
        slow.commit()
    with sessions.begin() as session:
        assert number(session) == 1
    assert [event.by for event in numbered(sessions)] == [None, "quick", "slow"]


def test_many_at_once_number_each_event_once(sessions, referral):
    routed = referral()
    with sessions.begin() as session:
        append_events(session, [acknowledged(routed)] * 50)

    def give_numbers():
        for _ in range(5):
            with sessions.begin() as session:
                number(session)

    threads = [threading.Thread(target=give_numbers) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.number for event in numbered(sessions)] == list(range(1, 52))
