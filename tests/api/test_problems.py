"""Every error has one shape, names its request, and repeats nothing."""

import os
import re
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from services.api.app import create_app
from services.api.context import EXTENSION
from services.api.http import key_cache
from services.api.http.retries import with_retries
from services.api.intakes import accept
from services.api.intakes.insert_or_replay import insert_or_replay
from shared.platform.database import REST_SECONDS
from shared.store.access.facilities import register
from shared.store.access.keys import issue
from shared.tables import Intake
from tests.api.conftest import Caller
from tests.api.test_intakes import MINIMAL

MEMBERS = ["type", "title", "status", "detail", "instance", "request_id"]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

CUT_ALL_OTHERS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type = 'client backend'
"""

ALL_OTHERS = """
    select pid from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'
"""


def is_problem(answer, status):
    assert answer.status_code == answer.json["status"] == status
    assert answer.content_type == "application/problem+json"
    assert list(answer.json)[:6] == MEMBERS
    assert re.fullmatch(r"urn:psoas:problem:[a-z-]+", answer.json["type"])
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    return True


def test_a_path_that_leads_nowhere(submitter, caller):
    for path in ("/v1", "/v1/nope", "/v1/intakes/", "//v1/form", "/v1/queues/urgent", "/static/x", "/metrics/"):
        assert is_problem(submitter.get(path), 404)
    assert is_problem(caller(None).get("/v1/nope"), 404)


def test_a_method_that_is_not_offered(submitter):
    answer = submitter.client.delete("/v1/intakes", headers={"Authorization": f"Bearer {submitter.key}"})
    assert is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert is_problem(submitter.client.options("/v1/form"), 405)


def test_a_program_error_tells_nothing(submitter, monkeypatch):
    def fail(*_):
        raise RuntimeError("CANARY")

    monkeypatch.setattr(accept, "build_intake", fail)
    answer = submitter.post("/v1/intakes", MINIMAL)
    assert is_problem(answer, 500)
    assert "CANARY" not in answer.text
    assert "Traceback" not in answer.text


@pytest.fixture
def cut_off(settings):
    """A caller of an application whose database does not answer."""
    app = create_app(replace(settings, database_url="postgresql://psoas@127.0.0.1:1/psoas"))
    return Caller(app.test_client(), "rk_0123456789ab_" + "0" * 64)


def test_without_a_database_it_is_503_soon(cut_off):
    for call in (lambda: cut_off.post("/v1/intakes", MINIMAL), lambda: cut_off.get("/v1/queues")):
        began = time.monotonic()
        answer = call()
        assert is_problem(answer, 503)
        assert time.monotonic() - began < 5
        assert int(answer.headers["Retry-After"]) > 0


def test_without_a_database_it_lives_and_is_not_ready(cut_off):
    assert cut_off.get("/health/live").json == {"status": "live"}
    answer = cut_off.get("/health/ready")
    assert is_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_ready(submitter, settings, new_database):
    assert submitter.get("/health/ready").json == {"status": "ready", "degraded": []}
    without_broker = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    answer = without_broker.test_client().get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "degraded": ["broker"]})
    unmigrated = create_app(new_database("unmigrated"))
    assert unmigrated.test_client().get("/health/ready").status_code == 503
    for app in (without_broker, unmigrated):
        app.extensions[EXTENSION].close()


def test_without_a_broker_no_answer_changes(settings, sessions):
    app = create_app(replace(settings, redis_url="redis://10.255.255.1:6379/0"))  # from where nothing ever answers
    with sessions.begin() as session:
        register(session, "st-marys")
        register(session, "st-marys")
        sender = Caller(app.test_client(), issue(session, role="submitter", facility="st-marys")[1])
    began = time.monotonic()
    assert {sender.post("/v1/intakes", MINIMAL).status_code for _ in range(20)} == {202}
    assert time.monotonic() - began < 5  # one publish that was waited for would take a second of each
    app.extensions[EXTENSION].close()


def test_connections_that_were_cut_are_made_anew(submitter, sessions):
    submitter.post("/v1/intakes", MINIMAL)
    with sessions() as session:
        session.execute(text(CUT_ALL_OTHERS))
    sessions.kw["bind"].dispose()  # the test's own were cut, too
    assert submitter.post("/v1/intakes", MINIMAL).status_code == 202


@contextmanager
def frozen(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_frozen_connection_is_given_up(submitter, sessions):
    submitter.post("/v1/intakes", MINIMAL)
    with sessions() as session:
        others = session.scalars(text(ALL_OTHERS)).all()
    time.sleep(REST_SECONDS)  # who was asked a moment ago is not asked whether it is there
    began = time.monotonic()
    with frozen(others):
        assert submitter.post("/v1/intakes", MINIMAL).status_code == 202  # on a connection of its own
    assert time.monotonic() - began < 5


def test_a_connection_that_freezes_in_use_is_503_soon_and_the_next_form_is_taken(submitter, sessions, monkeypatch):
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 60.0)
    submitter.post("/v1/intakes", MINIMAL)
    with sessions() as session:
        others = session.scalars(text(ALL_OTHERS)).all()
    began = time.monotonic()
    with frozen(others):
        answer = submitter.post("/v1/intakes", MINIMAL)
        assert answer.status_code == 202 or is_problem(answer, 503)
        assert time.monotonic() - began < 6
        assert submitter.post("/v1/intakes", MINIMAL).status_code == 202


def test_a_frozen_server_is_503_soon(submitter, sessions, monkeypatch):
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 60.0)
    submitter.post("/v1/intakes", MINIMAL)
    with sessions() as session:
        server = [*session.scalars(text(ALL_OTHERS)).all(), postmaster_of(session)]
    began = time.monotonic()
    with frozen(server):
        answer = submitter.post("/v1/intakes", MINIMAL)
        assert is_problem(answer, 503)
    assert time.monotonic() - began < 6
    assert submitter.post("/v1/intakes", MINIMAL).status_code == 202


def postmaster_of(session) -> int:
    backend = session.scalar(text("select pg_backend_pid()"))
    return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


def whose_first_answer_is_lost(work, calls):
    """Return `work`, which does what it does, but whose caller hears of it only the second time."""

    def work_and_lose_the_answer(*arguments):
        calls.append(arguments)
        done = work(*arguments)
        if len(calls) == 1:
            raise DBAPIError("commit", {}, Exception(), connection_invalidated=True)
        return done

    return work_and_lose_the_answer


def test_a_commit_whose_answer_was_lost_is_not_done_twice(submitter, sessions, monkeypatch):
    calls = []
    monkeypatch.setattr(accept, "insert_or_replay", whose_first_answer_is_lost(insert_or_replay, calls))
    answer = submitter.post("/v1/intakes", MINIMAL, Idempotency_Key="k1")
    assert (answer.status_code, len(calls)) == (202, 2)
    assert "Idempotency-Replayed" not in answer.headers
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Intake)) == 1


class Refused(Exception):  # noqa: N818 - it stands for a driver's error
    """A driver's error with its state."""

    def __init__(self, sqlstate):
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize(("sqlstate", "tries"), [("40001", 3), ("40P01", 3), ("57P01", 3), ("23505", 1), (None, 1)])
def test_what_time_heals_is_tried_twice_more(sqlstate, tries):
    tried = []

    def fail():
        tried.append(1)
        raise DBAPIError("insert", {}, Refused(sqlstate))

    with pytest.raises(DBAPIError):
        with_retries(fail)
    assert len(tried) == tries


@pytest.mark.parametrize(
    "sent", ["a", "req-1", "x" * 16, "4bf92f3577b34da6a3ce929d0e0e4736", "0197C9A0-0000-7000-8000-00000000000a"]
)
def test_the_name_of_a_request_is_taken_and_stored(sent, submitter, sessions):
    answer = submitter.post("/v1/intakes", MINIMAL, X_Request_ID=sent, traceparent=TRACE)
    assert answer.headers["X-Request-ID"] == sent
    assert answer.headers["traceparent"] == TRACE
    with sessions() as session:
        assert session.execute(select(Intake.request_id, Intake.traceparent)).one() == (sent, TRACE)


@pytest.mark.parametrize(
    "sent", ["", "x" * 17, "MRN-0012345-van-der-Berg", "a.b", "{}~!", "a_b", "with space", "caf\u00e9", "tab\there"]
)
def test_another_name_is_replaced(sent, submitter):
    given = submitter.get("/v1/nope", X_Request_ID=sent).headers["X-Request-ID"]
    assert given != sent
    assert len(given) == 36


@pytest.mark.parametrize(
    "trace", ["", "00-xyz", TRACE.upper(), TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32)]
)
def test_a_trace_that_is_none_is_left_out(trace, submitter):
    assert "traceparent" not in submitter.get("/v1/form", traceparent=trace).headers


def test_no_answer_is_kept_by_a_cache(submitter):
    for answer in (submitter.get("/v1/form"), submitter.post("/v1/intakes", MINIMAL), submitter.get("/v1/nope")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_problem_names_its_request_and_never_its_path(submitter, caller):
    for path in ("/v1/van-der-Berg", "/v1/intakes/MRN-0012345"):
        answer = submitter.get(path)
        assert is_problem(answer, 404)
        assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-ID']}"
        assert path.rpartition("/")[2] not in answer.text
    page = submitter.get("/console/van-der-Berg")
    assert (page.status_code, page.headers["Location"]) == (303, "/console/sign-in")
    assert "van-der-Berg" not in page.text
    short = [submitter.get("/v1/nope", X_Request_ID=sent).json["instance"] for sent in ("r1", "r1", "r2")]
    assert len(set(short)) == 2  # derived from the id, the same each time
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", each) for each in short)
    assert "/v1/nope" not in caller(None).get("/v1/nope").text


def test_every_answer_has_the_headers_that_browsers_obey(submitter, caller):
    answers = [
        submitter.get("/v1/form"),
        submitter.post("/v1/intakes", MINIMAL),
        submitter.get("/v1/nope"),
        caller(None).get("/v1/queues"),
        caller(None).get("/health/live"),
        caller(None).get("/docs"),
        caller(None).get("/console/sign-in"),
    ]
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert {"Referrer-Policy", "Permissions-Policy", "X-Frame-Options"} <= set(answer.headers.keys())
        assert "Strict-Transport-Security" not in answer.headers  # these came in the clear
        assert [len(answer.headers.getlist(name)) for name in ("Content-Security-Policy", "Cache-Control")] == [1, 1]
    secure = submitter.client.get("/v1/form", base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"
