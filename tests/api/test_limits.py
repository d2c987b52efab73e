"""What one key, one address and one who guesses may ask for within a minute, and what is taken all the same."""

import re
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from services.api.app import create_app
from services.api.context import EXTENSION
from services.api.limits.guessing import PER_ADDRESS, PER_KEY_ID
from services.api.limits.storage import CountStorage
from tests.api.batches import line, post
from tests.api.conftest import NOW, Caller
from tests.api.test_problems import is_problem
from tests.cases import case_for

WRONG = "rk_0123456789ab_" + "0" * 64
MINUTE = 60


@pytest.fixture
def limited(settings, broker):  # noqa: ARG001 - what earlier tests counted is gone
    """A function that returns an application with these settings; its clock is real where limits look at it."""
    apps = []

    def of(**changed):
        apps.append(create_app(replace(settings, **changed), now=lambda: NOW))
        return apps[-1]

    yield of
    for app in apps:
        app.extensions[EXTENSION].close()


@pytest.fixture
def whole_minute():
    """Begin where the minute has some seconds left, so that no test straddles its end."""
    if (left := MINUTE - time.time() % MINUTE) < 15:
        threading.Event().wait(left + 0.05)


def on(app, caller):
    return Caller(app.test_client(), caller.key)


@pytest.mark.usefixtures("whole_minute")
def test_a_key_has_so_many_requests_a_minute_in_all_processes_together(limited, submitter, operator):
    first, second = (on(limited(requests_per_minute=5), submitter) for _ in range(2))
    answers = [caller.get("/v1/form") for caller in (first, second, first, second, first)]
    assert {answer.status_code for answer in answers} == {200}
    assert [re.search(r"r=(\d)", answer.headers["RateLimit"])[1] for answer in answers] == ["4", "3", "2", "1", "0"]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=5;w=60'
    for caller in (first, second):
        refused = caller.get("/v1/form")
        assert is_problem(refused, 429)
        assert refused.json["type"] == "urn:psoas:problem:rate-limit"
        assert 0 < int(refused.headers["Retry-After"]) <= MINUTE
    assert on(first.client.application, operator).get("/v1/queues").status_code == 200  # another key has its own


@pytest.mark.usefixtures("whole_minute")
def test_what_needs_no_key_is_limited_by_address_and_probes_never(limited, caller):
    app = limited(keyless_requests_per_minute=3)
    anybody = on(app, caller(None))
    assert [anybody.get("/openapi.json").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert {anybody.get("/health/live").status_code for _ in range(5)} == {200}
    other = app.test_client().get("/openapi.json", environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 200


@pytest.mark.usefixtures("whole_minute")
def test_red_flags_are_taken_beyond_the_limit(limited, submitter, capsys):
    sender = on(limited(requests_per_minute=1), submitter)
    calm, calmer = (case_for("orthopedics").body(mrn) for mrn in ("MRN-1", "MRN-2"))
    assert sender.post("/v1/intakes", calm).status_code == 202
    assert is_problem(sender.post("/v1/intakes", calmer), 429)
    assert sender.post("/v1/intakes", case_for("urgent").body("MRN-RED")).status_code == 202
    assert "limits.red_flag_over_limit" in "".join(capsys.readouterr())
    red = line("red", cannot_lift_leg_supine="present", bladder_change="new_or_worse")
    outcomes = post(sender, red, {"idempotency_key": "calm", "form": calmer})
    assert [outcome["status"] for outcome in outcomes] == [202, 429]


@contextmanager
def silent_server():
    """A server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def test_a_redis_that_does_not_answer_limits_nobody_and_costs_little():
    with silent_server() as port:
        counts = CountStorage("psoas://", redis_url=f"redis://127.0.0.1:{port}/0", block=1)
        began = time.monotonic()
        assert counts.incr("key", MINUTE) == 0
        first = time.monotonic() - began
        assert [counts.incr("key", MINUTE) for _ in range(1000)] == [0] * 1000
        assert first < 0.5  # 20 ms, on a busy machine more
        assert time.monotonic() - began - first < 0.5  # 1,000 look-ups that waited would take 20 s


@contextmanager
def slow_to_connect(path):
    """A server that leads to the Redis at `path`, a tenth of a second after it was connected to."""

    def serve(listener):
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                time.sleep(0.1)
                server = socket.socket(socket.AF_UNIX)
                server.connect(path)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=pass_on, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def pass_on(source, target):
    with suppress(OSError), source, target:
        while piece := source.recv(4096):
            target.sendall(piece)


def test_a_connection_that_takes_long_is_made_meanwhile_and_then_counts(broker):
    with slow_to_connect(broker.connection_pool.connection_kwargs["path"]) as port:
        counts = CountStorage("psoas://", redis_url=f"redis://127.0.0.1:{port}/0", block=1)
        assert counts.incr("key", MINUTE) == 0
        deadline = time.monotonic() + 20
        while not counts.incr("key", MINUTE):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_without_redis_no_answer_is_a_429(limited, submitter):
    sender = on(limited(requests_per_minute=1, redis_url="redis://127.0.0.1:1/0"), submitter)
    assert {sender.get("/v1/form").status_code for _ in range(5)} == {200}


def test_a_process_asks_redis_once_a_block(settings, broker):
    counts = CountStorage("psoas://", redis_url=settings.redis_url, block=50, now=lambda: 1_000_000.0)
    before = broker.info("commandstats").get("cmdstat_incrby", {"calls": 0})["calls"]
    assert [counts.incr("key", MINUTE) for _ in range(100)] == list(range(1, 101))
    assert broker.info("commandstats")["cmdstat_incrby"]["calls"] - before == 2
    (name,) = broker.keys("limits:*")
    assert 0 < broker.ttl(name) <= 2 * MINUTE
    later = CountStorage("psoas://", redis_url=settings.redis_url, block=50, now=lambda: 1_000_060.0)
    assert later.incr("key", MINUTE) == 1


def guess(client, presented, address="192.0.2.7"):
    headers = {"Authorization": f"Bearer {presented}"}
    return client.get("/v1/form", headers=headers, environ_base={"REMOTE_ADDR": address})


def test_who_guesses_secrets_of_a_key_is_slowed_and_its_holder_is_not(limited, submitter):
    app = limited()
    client, key_id = app.test_client(), submitter.key.split("_")[1]
    wrong = f"rk_{key_id}_{'0' * 64}"
    by_address = [guess(client, wrong, f"192.0.2.{number}") for number in range(PER_KEY_ID + 1)]
    assert [answer.status_code for answer in by_address] == [401] * PER_KEY_ID + [429]
    assert by_address[-1].json["type"] == "urn:psoas:problem:too-many-wrong-keys"
    assert by_address[-1].headers["Retry-After"] == "60"
    assert guess(client, submitter.key).status_code == 200
    elsewhere = limited().test_client()  # another process reads what this one has stored
    app.extensions[EXTENSION].failed_authentications.store()
    assert guess(elsewhere, wrong).status_code == 429
    assert guess(elsewhere, submitter.key).status_code == 200


def test_who_guesses_keys_from_one_address_is_slowed_and_a_valid_key_there_is_not(limited, submitter, settings):
    app = limited()
    client = app.test_client()
    answers = [guess(client, f"rk_{number:012x}_{'0' * 64}") for number in range(PER_ADDRESS + 1)]
    assert [answer.status_code for answer in answers] == [401] * PER_ADDRESS + [429]
    assert guess(client, submitter.key).status_code == 200
    assert guess(client, WRONG, "192.0.2.8").status_code == 401
    nameless = client.get("/v1/form", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert nameless.status_code == 401  # no secret was guessed
    app.extensions[EXTENSION].failed_authentications.store()
    later = create_app(settings, now=lambda: NOW + timedelta(minutes=1))
    assert guess(later.test_client(), WRONG).status_code == 401
    later.extensions[EXTENSION].close()


def test_the_sign_in_page_is_no_way_around(limited, submitter, operator):
    client = limited().test_client()
    key_id = operator.key.split("_")[1]
    wrong = {"key": f"rk_{key_id}_{'0' * 64}", "name": "A. Guesser"}
    statuses = [client.post("/console/sign-in", data=wrong).status_code for _ in range(PER_KEY_ID + 1)]
    assert statuses == [401] * PER_KEY_ID + [429]
    assert client.post("/console/sign-in", data={"key": operator.key, "name": "R. Haile"}).status_code == 303
    assert guess(client, submitter.key).status_code == 200
