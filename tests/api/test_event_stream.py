"""The feed as server-sent events: nothing missed, nothing twice, and no thread or place lost to those who went away."""

import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import select

from services.api.app import create_app
from services.api.context import EXTENSION
from services.api.events import sse
from shared.platform.database import create_engine, create_sessions
from shared.store.access import keys
from shared.store.event_log.events import append_events
from shared.tables import Event
from tests.api.conftest import NOW, Caller
from tests.api.test_referrals import ACTIONS
from tests.api.test_server import ask, free_port, wait_until_it_listens
from tests.program import program
from tests.streams import Stream

SSE = {"Accept": "text/event-stream"}
SERVE = """
import sys
from services.api.events import sse
from services.api.server import serve
from shared.platform.settings import load_settings
sse.HEARTBEAT_SECONDS = 1.0
serve(load_settings(), "127.0.0.1", int(sys.argv[1]))
"""


@pytest.fixture
def server(environment, operator):
    """A served API whose heart beats every second, with room for three streams: its program and its port."""
    assert operator.key
    port = free_port()
    with program([sys.executable, "-c", SERVE, str(port)], env={**environment, "EVENT_STREAMS": "3"}) as served:
        wait_until_it_listens(port)
        yield served, port


@pytest.fixture
def listen(operator, monkeypatch):
    """A function that listens in this process, whose heart beats five times a second: the chunks as they come."""
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.2)
    with ExitStack() as open_streams:

        def of(path="/v1/events", reader=operator, **headers):
            sent = {
                "Authorization": f"Bearer {reader.key}",
                **SSE,
                **{k.replace("_", "-"): v for k, v in headers.items()},
            }
            answer = open_streams.enter_context(reader.client.get(path, headers=sent))
            assert (answer.status_code, answer.content_type) == (200, "text/event-stream")
            return answer.iter_encoded()

        yield of


def wait_for(chunks, word, count=60):
    """Return everything up to the chunk in which `word` stands."""
    said = ""
    for _ in range(count):
        said += next(chunks).decode()
        if word in said:
            return said
    raise AssertionError(said)


def test_it_begins_with_what_happens_from_now_on(listen, referral, operator):
    ours = referral("neurology")
    chunks = listen()
    assert next(chunks) == b"retry: 2000\nid: 1\n\n"
    assert next(chunks) == b":\n\n"
    operator.post(f"{ours['links']['self']}/acknowledge", ACTIONS["acknowledge"])
    said = wait_for(chunks, "referral.acknowledged")
    assert "id: 2\nevent: referral.acknowledged\ndata: {" in said
    assert "referral.queued" not in said


def test_it_goes_on_after_what_the_reader_has(listen, referral):
    for number in range(4):
        referral("neurology", mrn=f"MRN-{number}")
    assert "id: 1\nevent" in wait_for(listen("/v1/events?after=0"), "id: 4\nevent")
    assert "id: 2\nevent" not in wait_for(listen("/v1/events?after=2"), "id: 4\nevent")
    assert "id: 3\nevent" not in wait_for(listen("/v1/events?after=0", Last_Event_ID="3"), "id: 4\nevent")
    assert "id: 1\nevent" in wait_for(listen("/v1/events", Last_Event_ID="0"), "id: 4\nevent")


@pytest.mark.parametrize(("path", "header", "status"), [("", "x", 400), ("", "-1", 400), ("?after=x", "", 422)])
def test_an_error_before_it_begins_is_a_problem(operator, path, header, status):
    answer = operator.get(f"/v1/events{path}", Last_Event_ID=header, **SSE)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


@pytest.mark.parametrize("role", ["department"])
def test_others_get_no_stream(caller, role):
    assert caller(role, facility="st-marys", queues=["urgent"]).get("/v1/events", **SSE).status_code == 403


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "text/event-stream;q=0"])
def test_who_does_not_ask_for_a_stream_gets_a_page(operator, accept):
    assert operator.get("/v1/events", Accept=accept).content_type == "application/json"


def test_an_auditor_listens_without_what_people_wrote(listen, referral, operator, caller):
    path = referral("neurology")["links"]["self"]
    operator.post(f"{path}/acknowledge", {"by": "Dr A. Okafor", "note": "Mrs CANARY rang."})
    assert "CANARY" not in wait_for(listen("/v1/events?after=0", caller("auditor")), "id: 2\n")
    assert "CANARY" in wait_for(listen("/v1/events?after=0"), "id: 2\n")


def test_a_revoked_key_ends_its_stream_within_five_seconds(listen, caller, sessions):
    auditor = caller("auditor")
    chunks = listen(reader=auditor)
    assert [next(chunks), next(chunks)] == [b"retry: 2000\nid: 0\n\n", b":\n\n"]
    with sessions.begin() as session:
        keys.revoke(session, keys.split(auditor.key)[0])
    revoked = time.monotonic()
    assert set(chunks) <= {b":\n\n"}
    assert time.monotonic() - revoked < 5


def test_there_is_room_for_some_and_a_place_that_is_left_is_free(settings, operator):
    app = create_app(replace(settings, event_streams=2), now=lambda: NOW)
    reader = Caller(app.test_client(), operator.key)
    sent = {"Authorization": f"Bearer {operator.key}", **SSE}
    with ExitStack() as streams:
        first, _ = (streams.enter_context(app.test_client().get("/v1/events", headers=sent)) for _ in range(2))
        full = reader.get("/v1/events", **SSE)
        assert (full.status_code, full.json["type"]) == (503, "urn:psoas:problem:too-many-streams")
        assert int(full.headers["Retry-After"]) > 0
        assert reader.get("/v1/events").status_code == 200
        for _ in range(2):
            first.close()
        with reader.client.head("/v1/events", headers=sent) as asked:
            assert asked.status_code == 200
        streams.enter_context(app.test_client().get("/v1/events", headers=sent))
        assert reader.get("/v1/events", **SSE).status_code == 503
    app.extensions[EXTENSION].close()


def test_the_first_bytes_come_at_once_and_are_not_held_back(server, operator):
    _, port = server
    with Stream(port, operator.key) as stream:
        assert (stream.status, stream.headers["X-Accel-Buffering"]) == (200, "no")
        assert [stream.line() for _ in range(4)] == ["retry: 2000", "id: 0", "", ":"]


def test_who_lost_a_stream_before_its_first_event_misses_nothing(server, operator, referral):
    _, port = server
    referral("neurology", mrn="MRN-1")
    with Stream(port, operator.key) as stream:
        stream.fields()
    referral("neurology", mrn="MRN-2")
    with Stream(port, operator.key, Last_Event_ID=stream.last_id) as again:
        assert again.event()["id"] == 2


def test_who_went_away_leaves_the_place_to_another(server, operator):
    _, port = server
    for _ in range(3):
        Stream(port, operator.key).close()
    deadline = time.monotonic() + 20
    status = 503
    while status != 200:
        assert time.monotonic() < deadline
        with Stream(port, operator.key) as another:
            status = another.status
        time.sleep(0.2)


def test_streams_do_not_keep_it_from_answering_or_from_stopping(server, operator):
    served, port = server
    headers = {"Authorization": f"Bearer {operator.key}"}
    with ExitStack() as streams:
        three = [streams.enter_context(Stream(port, operator.key)) for _ in range(3)]
        assert [stream.status for stream in three] == [200] * 3
        assert [ask(port, "GET", "/v1/queues", headers=headers)[0] for _ in range(20)] == [200] * 20
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < 5  # it would be cut off then
        for stream in three:
            while stream.line() != "EOF":
                pass


def commit_events(settings, referral, seed, count):
    """Add events in quick transactions and in slow ones, which commit long after events with a higher id."""
    engine = create_engine(settings)
    chance = Random(seed)  # noqa: S311 - the same pauses each time
    event = {"type": "referral.noted", "referral_id": referral["id"], "intake_id": referral["intake_id"]}
    for _ in range(count):
        with create_sessions(engine).begin() as session:
            append_events(session, [event] * chance.randint(1, 3))
            time.sleep(chance.choice([0, 0, 0.002, 0.15]))
    engine.dispose()


def test_nobody_misses_an_event_however_slowly_others_commit(server, operator, referral, settings, sessions):
    """Eight write; one reads pages, one listens and loses its connection now and then. Both see all, once, in order."""
    _, port = server
    ours = referral("neurology")
    writers = [threading.Thread(target=commit_events, args=(settings, ours, seed, 25)) for seed in range(8)]
    for writer in writers:
        writer.start()
    paged, streamed, after, stream = [], [], 0, Stream(port, operator.key, "/v1/events?after=0")
    while any(writer.is_alive() for writer in writers) or len(paged) < stored_count(sessions):
        page = operator.get(f"/v1/events?after={after}&limit=7").json
        paged += [event["id"] for event in page["events"]]
        after = page["next"]
        if len(streamed) < len(paged):
            streamed.append(stream.event()["id"])
            if len(streamed) % 40 == 0:
                stream.close()
                stream = listen_again(port, operator.key, stream.last_id)
    streamed += [stream.event()["id"] for _ in range(len(paged) - len(streamed))]
    stream.close()
    assert paged == streamed == list(range(1, stored_count(sessions) + 1))
    assert len(paged) > 200


def listen_again(port, key, last_id):
    """Come back until there is a place: that of a lost connection is free once something could not be sent on it."""
    deadline = time.monotonic() + 20
    while (stream := Stream(port, key, Last_Event_ID=last_id)).status == 503:
        assert time.monotonic() < deadline
        stream.close()
        time.sleep(0.1)
    return stream


def stored_count(sessions):
    with sessions() as session:
        return len(session.scalars(select(Event.id)).all())
