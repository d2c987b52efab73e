"""Operators see what departments' systems were not told, page by page, and have it tried again."""

import pytest
from sqlalchemy import select, update

from services.worker.delivery.dispatcher import Dispatcher
from services.worker.delivery.sender import Sender
from shared.platform import clock
from shared.platform.crypto import IdentityCipher
from shared.store.delivery import destinations, parked
from shared.store.delivery.destinations import Place
from shared.tables import Delivery, Destination
from tests.receiver import in_turn, receiver, status

NOBODY = "0197c9a0-0000-7000-8000-000000000000"


@pytest.fixture
def department():
    with receiver() as started:
        yield started


@pytest.fixture
def cipher(settings):
    return IdentityCipher(settings.identity_keys)


@pytest.fixture
def secret(sessions, cipher, department):
    with sessions.begin() as session:
        return destinations.put(session, Place("neurology", None, 0, department.url), cipher)[1]


@pytest.fixture
def deliver(sessions, cipher):
    dispatcher = Dispatcher(sessions, cipher, Sender(loopback=True), lambda _: None)

    def all_that_is_due():
        with sessions() as session:
            due = session.scalars(select(Delivery.id).where(Delivery.status == "due")).all()
        for each in due:
            dispatcher.deliver(each)

    return all_that_is_due


def listed(operator, query=""):
    answer = operator.get(f"/v1/deliveries{query}")
    assert answer.status_code == 200
    return answer.json["deliveries"]


def test_what_a_department_refused_is_listed_and_arrives_after_a_retry(
    operator, referral, deliver, department, secret, broker
):
    department.answer = in_turn(status(404), status(200))
    routed = referral("neurology")
    deliver()
    (refused,) = listed(operator)
    assert refused["destination"] | {"id": "-"} == {
        "id": "-",
        "queue": "neurology",
        "url": department.url,
        "status": "active",
    }
    assert (refused["status"], refused["error"], refused["event"]) == ("parked", "http_404", "referral.queued")
    assert refused["links"] == {
        "referral": routed["links"]["self"],
        "retry": f"/v1/deliveries/{refused['id']}/retry",
    }
    (attempt,) = refused["attempts"]
    assert (attempt["http_status"], attempt["error"]) == (404, "http_404")

    broker.flushall()
    again = operator.post(refused["links"]["retry"], {})
    assert (again.status_code, again.json["status"], again.json["error"]) == (200, "due", None)
    assert len(again.json["attempts"]) == 1
    assert broker.blpop("neurology", timeout=5), "a worker is told"
    deliver()
    assert listed(operator) == []
    (arrived,) = listed(operator, "?status=delivered")
    assert [attempt["http_status"] for attempt in arrived["attempts"]] == [404, 200]
    assert department.ids == [refused["id"]] * 2
    assert department.received[1].verified(secret)["data"]["referral_id"] == routed["id"]


def test_only_what_is_parked_is_retried(operator, referral, deliver, department, secret):
    assert secret
    department.answer = status(404)
    referral("neurology")
    deliver()
    (refused,) = listed(operator)
    assert operator.post(refused["links"]["retry"], {}).status_code == 200
    second = operator.post(refused["links"]["retry"], {})
    assert (second.status_code, second.json["type"]) == (409, "urn:psoas:problem:not-parked")
    assert second.json["delivery_status"] == "due"
    assert operator.post(f"/v1/deliveries/{NOBODY}/retry", {}).status_code == 404


def test_nothing_is_retried_to_a_destination_that_is_removed(operator, referral, sessions, secret):
    assert secret
    referral("neurology")
    with sessions.begin() as session:
        destinations.remove(session, session.scalar(select(Destination.id)))
        session.execute(update(Delivery).values(status="parked"))
    (left,) = listed(operator)
    assert left["destination"]["status"] == "removed"
    assert operator.post(left["links"]["retry"], {}).status_code == 409


def test_pages_neither_lose_nor_repeat(operator, referral, sessions, secret):
    assert secret
    for number in range(5):
        referral("neurology", mrn=f"MRN-{number}")
    with sessions.begin() as session:
        session.execute(update(Delivery).values(status="parked", created_at=clock.now()))
        kept = [str(seen.delivery.id) for seen in parked.page(session, "parked", limit=100)]
    shown, cursor = [], ""
    while cursor is not None:
        page = operator.get(f"/v1/deliveries?limit=2{cursor and '&cursor=' + cursor}").json
        shown += [each["id"] for each in page["deliveries"]]
        cursor = page["next"]
    assert (shown, len(shown)) == (kept, 5)


@pytest.mark.parametrize(
    "query", ["status=lost", "status=", "limit=0", "limit=201", "cursor=x", "cursor=W10", "page=2"]
)
def test_a_query_that_means_nothing_is_refused(query, operator):
    assert operator.get(f"/v1/deliveries?{query}").status_code == 422
