"""The referrer hears back: what came of a referral, with who, when and the words, and a feed of the facility's own."""

import http.client
import json
import sys
from contextlib import contextmanager

import pytest
import sseclient
from sqlalchemy import select

from services.api.events import sse
from shared.platform.crypto import IdentityCipher
from shared.store.delivery.destinations import Place, put
from shared.store.event_log import feed
from shared.store.event_log.events import append_events
from shared.tables import Delivery
from tests.api.test_referrals import ACTIONS
from tests.api.test_server import free_port, wait_until_it_listens
from tests.conftest import IDENTITY_KEYS
from tests.program import program

SERVE = """
import sys
from services.api.server import serve
from shared.platform.settings import load_settings
serve(load_settings(), "127.0.0.1", int(sys.argv[1]))
"""
HIDDEN = ("referral.form_read", "referral.identity_corrected", "delivery.parked")


@pytest.fixture
def city(caller):
    return caller("submitter", facility="city")


def worked(operator, referral, *actions):
    path = referral["links"]["self"]
    for action in actions:
        assert operator.post(f"{path}/{action}", ACTIONS[action]).status_code == 200
    return operator.get(path).json


def test_what_was_returned_says_who_when_and_why(referral, operator, submitter):
    before = referral("neurology")
    assert (before["returned"], before["completed"]) == (None, None)
    after = worked(operator, before, "return")
    at = operator.get(after["links"]["events"]).json["events"][-1]["at"]
    assert after["returned"] == {**ACTIONS["return"], "at": at}
    assert after["completed"] is None
    assert submitter.get(after["links"]["self"]).json["returned"] == after["returned"]
    seen = submitter.get(after["links"]["intake"]).json["referral"]
    assert (seen["status"], seen["returned"], seen["completed"]) == ("returned", after["returned"], None)
    (listed,) = operator.get("/v1/referrals?status=returned").json["referrals"]
    assert listed == after


def test_what_was_completed_says_who_when_and_what_came_of_it(referral, operator, submitter):
    after = worked(operator, referral("neurology"), "acknowledge", "complete")
    assert {**after["completed"], "at": None} == {**ACTIONS["complete"], "at": None}
    seen = submitter.get(after["links"]["intake"]).json["referral"]
    assert (seen["returned"], seen["completed"]) == (None, after["completed"])


def test_while_it_is_open_nothing_came_of_it(referral, operator, submitter):
    after = worked(operator, referral("neurology"), "acknowledge")
    assert (after["returned"], after["completed"]) == (None, None)
    seen = submitter.get(after["links"]["intake"]).json["referral"]
    assert (seen["returned"], seen["completed"]) == (None, None)


def store(sessions, referral, *types):
    events = [{"type": each, **_of(referral), "data": {"note": "N", "key_id": "k"}} for each in types]
    with sessions.begin() as session:
        append_events(session, events, cipher=IdentityCipher(IDENTITY_KEYS))


def _of(referral):
    return {"referral_id": referral["id"], "intake_id": referral["intake_id"]}


def test_a_facility_reads_what_happened_to_its_own_and_to_no_others(referral, operator, submitter, city, sessions):
    ours, theirs = referral("neurology"), referral("neurology", sender=city)
    store(sessions, ours, *HIDDEN)
    worked(operator, theirs, "acknowledge")
    worked(operator, ours, "return")
    page = submitter.get("/v1/events").json
    assert [(event["type"], event["referral_id"]) for event in page["events"]] == [
        ("referral.queued", ours["id"]),
        ("referral.returned", ours["id"]),
    ]
    assert page["next"] == 7
    assert page["events"][1]["data"]["reason"] == ACTIONS["return"]["reason"]
    assert submitter.get("/v1/events?after=7").json == {"events": [], "next": 7}
    assert [event["id"] for event in city.get("/v1/events").json["events"]] == [2, 6]
    everything = operator.get("/v1/events").json["events"]
    assert len(everything) == 7


def test_notes_and_who_read_stay_with_the_department(referral, operator, submitter, sessions):
    ours = referral("neurology")
    noted = {**ACTIONS["acknowledge"], "note": "Mrs CANARY rang."}
    assert operator.post(f"{ours['links']['self']}/acknowledge", noted).status_code == 200
    store(sessions, ours, *HIDDEN, "referral.contacted")
    for path in ("/v1/events", ours["links"]["events"]):
        answer = submitter.get(path)
        assert [each["type"] for each in answer.json["events"]] == [
            *("referral.queued", "referral.acknowledged", "referral.contacted")
        ]
        for word in ("CANARY", "key_id", "note"):
            assert word not in answer.text
        assert "CANARY" in operator.get(path).text


def test_another_facilitys_timeline_is_not_there(referral, city):
    assert city.get(referral("neurology")["links"]["events"]).status_code == 404


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_pages_with_gaps_lose_nothing(referral, submitter, city, sessions, limit, monkeypatch):
    monkeypatch.setattr(feed, "MAX_EXAMINED", 5)
    ours, theirs = referral("neurology"), referral("neurology", sender=city)
    for _ in range(4):
        store(sessions, ours, "referral.noted")
        store(sessions, theirs, *["referral.noted"] * 7)
    found, after = [], 0
    while True:
        page = submitter.get(f"/v1/events?after={after}&limit={limit}").json
        assert len(page["events"]) <= limit
        found += page["events"]
        if page["next"] == after:
            break
        after = page["next"]
    assert [each["referral_id"] for each in found] == [ours["id"]] * 5
    assert after == 34


def test_its_own_system_hears_the_same_events_and_no_identity(referral, operator, submitter, settings, sessions):
    with sessions.begin() as session:
        put(session, Place(None, "st-marys", 0, "https://a.example"), IdentityCipher(settings.identity_keys))
    ours = referral("neurology", mrn="CANARY-1")
    store(sessions, ours, *HIDDEN)
    worked(operator, ours, "return")
    with sessions() as session:
        delivered = session.scalars(select(Delivery).order_by(Delivery.event_id)).all()
    assert [each.payload["type"] for each in delivered] == [
        e["type"] for e in submitter.get("/v1/events").json["events"]
    ]
    assert all(each.payload["data"]["reference"] == ours["reference"] for each in delivered)
    words = json.dumps([each.payload for each in delivered])
    assert "CANARY" not in words
    assert ACTIONS["return"]["reason"] not in words


@contextmanager
def listening(port, key, path="/v1/events?event=message&after=0"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}", "Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert answer.status == 200
    yield sseclient.SSEClient(iter(answer.read1, b"")).events()
    answer.close()
    connection.close()


def test_an_off_the_shelf_client_listens_to_messages(referral, operator, submitter, environment):
    ours = referral("neurology")
    port = free_port()
    with program([sys.executable, "-c", SERVE, str(port)], env=environment):
        wait_until_it_listens(port)
        with listening(port, submitter.key) as messages:
            queued = _next(messages)
            worked(operator, ours, "acknowledge")
            acknowledged = _next(messages)
        with listening(port, operator.key, "/v1/events?after=0") as named:
            assert _next(named).event == "referral.queued"
    assert (queued.event, acknowledged.event) == ("message", "message")
    assert (queued.id, acknowledged.id) == ("1", "2")
    said = json.loads(acknowledged.data)
    assert (said["type"], said["reference"]) == ("referral.acknowledged", ours["reference"])


def _next(events):
    """Return the next event that carries something; an id alone is for coming back."""
    return next(event for event in events if event.data)


def test_only_message_can_be_asked_for(submitter):
    answer = submitter.get("/v1/events?event=referral.queued")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/event")


def test_a_stream_has_what_a_page_has_and_moves_on_past_the_rest(referral, submitter, city, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.2)
    referral("neurology")
    referral("neurology", sender=city)
    headers = {"Authorization": f"Bearer {submitter.key}", "Accept": "text/event-stream"}
    with submitter.client.get("/v1/events?after=0", headers=headers) as answer:
        chunks, said = answer.iter_encoded(), ""
        while "id: 2\n" not in said:
            said += next(chunks).decode()
    assert said.count("data: ") == 1
    assert said.endswith("id: 2\n\n")
