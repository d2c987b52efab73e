"""Another person takes an acknowledged referral over: two events in one transaction."""

from sqlalchemy import func, insert, select
from uuid_utils.compat import uuid7

from shared.tables import Delivery, Destination, Event
from tests.api.test_referrals import happened

FIRST, SECOND = {"by": "Dr A. Okafor"}, {"by": "Dr B. Lind", "reason": "Called to theatre."}


def at(referral, action):
    return f"{referral['links']['self']}/{action}"


def test_the_other_person_holds_it_and_the_timeline_says_both(referral, operator):
    first = referral("urgent")
    held = operator.post(at(first, "acknowledge"), FIRST).json
    answer = operator.post(at(first, "take-over"), SECOND)
    assert answer.status_code == 200, answer.text
    assert answer.json["acknowledged"]["by"] == SECOND["by"]
    assert answer.json["acknowledged"]["at"] >= held["acknowledged"]["at"]
    assert answer.json | {"acknowledged": None} == held | {"acknowledged": None}, "nothing else changes"
    assert answer.headers["ETag"] == '"3"'
    assert happened(operator, first)[1:] == [
        ("referral.taken_over", SECOND["by"], {"held_by": FIRST["by"], "reason": SECOND["reason"]}),
        ("referral.acknowledged", SECOND["by"], {}),
    ]
    assert operator.post(at(first, "complete"), {"by": SECOND["by"], "outcome": "Seen."}).status_code == 200


def test_both_events_are_of_one_transaction_and_go_out_by_webhook(referral, operator, sessions):
    first = referral("urgent")
    operator.post(at(first, "acknowledge"), FIRST)
    with sessions.begin() as session:
        row = {"id": uuid7(), "queue": "urgent", "url": "https://a.example", "secret": b"sealed"}
        session.execute(insert(Destination).values(**row))
    operator.post(at(first, "take-over"), SECOND)
    with sessions() as session:
        sent = session.scalars(select(Delivery.payload["type"].astext).order_by(Delivery.event_id)).all()
        moments = session.scalar(select(func.count(Event.at.distinct())).where(Event.by == SECOND["by"]))
    assert (sent, moments) == (["referral.taken_over", "referral.acknowledged"], 1)


def test_again_by_the_same_person_changes_nothing(referral, operator):
    first = referral("urgent")
    operator.post(at(first, "acknowledge"), FIRST)
    once = operator.post(at(first, "take-over"), SECOND)
    again = operator.post(at(first, "take-over"), SECOND)
    assert (again.status_code, again.json, again.headers["ETag"]) == (200, once.json, once.headers["ETag"])


def test_who_acts_on_an_older_state_takes_nothing_over(referral, operator):
    first = referral("urgent")
    held = operator.post(at(first, "acknowledge"), FIRST)
    operator.post(at(first, "take-over"), SECOND)
    late = operator.post(at(first, "take-over"), SECOND | {"by": "Dr C. Wu"}, If_Match=held.headers["ETag"])
    assert late.status_code == 412
    assert operator.get(first["links"]["self"]).json["acknowledged"]["by"] == SECOND["by"]
