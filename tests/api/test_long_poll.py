"""`Prefer: wait` (RFC 7240): the answer comes after triage, or when the time is up."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.api.app import create_app
from services.api.context import EXTENSION
from services.api.intakes.long_poll import preferred_seconds
from tests.api.conftest import NOW, Caller
from tests.cases import case_for


@pytest.fixture
def posted_and_triaged(submitter, triage_all):
    """Return a function that posts with these headers, triages meanwhile, and returns the answer."""

    def post(**headers):
        with ThreadPoolExecutor(1) as sender:
            answer = sender.submit(submitter.post, "/v1/intakes", case_for("urgent").body(), **headers)
            while not answer.done():
                triage_all()
            return answer.result()

    return post


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["wait=5"], 5),
        (["wait=0"], 0),
        (["WAIT=5"], 5),
        ([' wait = "5" '], 5),
        (["respond-async, wait=10"], 10),
        (["return=minimal", "wait=7"], 7),
        (["wait=2, wait=9"], 2),
        (["wait=5; foo=bar"], 5),
        (["wait=30"], 30),
        (["wait=31"], 30),
        (["wait=0005"], 5),
        (["wait=" + "9" * 5000], 30),
        ([], None),
        (["respond-async"], None),
        (["wait"], None),
        (["wait="], None),
        (["wait=soon"], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["await=5"], None),
        (["wait=\N{ARABIC-INDIC DIGIT FIVE}"], None),
        (["wait=soon, wait=3"], 3),
    ],
)
def test_what_a_preference_says(headers, seconds):
    assert preferred_seconds(headers) == seconds


def test_the_answer_waits_for_triage(submitter, posted_and_triaged):
    answer = posted_and_triaged(Prefer="wait=5")
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "wait=5"
    assert answer.json["decision"]["queue"] == "urgent"
    assert answer.json == submitter.get(answer.headers["Location"]).json


def test_when_the_time_is_up_it_is_received(submitter):
    began = time.monotonic()
    answer = submitter.post("/v1/intakes", case_for("urgent").body(), Prefer="wait=1")
    assert 1 <= time.monotonic() - began < 5
    assert (answer.status_code, answer.json["status"]) == (202, "received")
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_a_replay_waits_too(submitter, posted_and_triaged):
    submitter.post("/v1/intakes", case_for("urgent").body(), Idempotency_Key="k1")
    answer = posted_and_triaged(Idempotency_Key="k1", Prefer="wait=5")
    assert answer.status_code == 200
    assert answer.headers["Idempotency-Replayed"] == "true"


def test_a_malformed_preference_is_ignored(submitter):
    answer = submitter.post("/v1/intakes", case_for("urgent").body(), Prefer="wait=soon")
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


def test_where_too_many_wait_the_answer_comes_at_once(app, settings, submitter):
    slots = app.extensions[EXTENSION].long_poll_slots
    seats = settings.api_threads // 4
    assert all(slots.acquire(blocking=False) for _ in range(seats))
    try:
        began = time.monotonic()
        answer = submitter.post("/v1/intakes", case_for("urgent").body(), Prefer="wait=30")
        assert time.monotonic() - began < 5
    finally:
        for _ in range(seats):
            slots.release()
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


def test_waiting_holds_no_connection(settings, submitter, monkeypatch):
    monkeypatch.setattr("services.api.app.POOL_SIZE", 1)
    narrow = create_app(settings, now=lambda: NOW)
    body = case_for("urgent").body()

    def sender():
        return Caller(narrow.test_client(), submitter.key)

    with ThreadPoolExecutor(4) as senders:
        waiting = [senders.submit(sender().post, "/v1/intakes", body, Prefer="wait=3") for _ in range(4)]
        while narrow.extensions[EXTENSION].long_poll_slots._value:  # noqa: SLF001 - asking for a seat would take it
            time.sleep(0.01)
        assert {sender().post("/v1/intakes", body).status_code for _ in range(5)} == {202}
        assert not any(answer.done() for answer in waiting)
    assert {answer.result().status_code for answer in waiting} == {202}
    narrow.extensions[EXTENSION].close()
