"""Senders that stall: they are bounded by key and address, end at a deadline, and keep no one else from posting."""

import json
import select
import socket
import sys
import time
from contextlib import ExitStack, closing, suppress
from http.client import HTTPResponse, IncompleteRead
from ipaddress import ip_network

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from services.api.admission.body_limits import STALL_SECONDS, BodyLimits
from services.api.http.client_address import client_address
from tests.api.test_intakes import MINIMAL
from tests.api.test_server import SERVE, ask, free_port, wait_until_it_listens
from tests.program import program


@pytest.fixture
def port(environment, sessions):  # noqa: ARG001 - the database is emptied first
    """Where an API listens."""
    port = free_port()
    with program([sys.executable, "-c", SERVE, str(port)], env=environment):
        wait_until_it_listens(port)
        yield port


def begin(port, key, *, sent=b"{", length=2000, path="/v1/intakes", kind="application/json"):
    """Send a request whose body does not come to its end; return its connection."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = f"POST {path} HTTP/1.1\r\nHost: psoas\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    connection.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode() + sent)
    return connection


def status_of(connection):
    answer = HTTPResponse(connection)
    answer.begin()
    try:
        content = answer.read()
    except IncompleteRead as short:  # so is the answer to a body that is still being read
        content = short.partial
    return answer.status, json.loads(content)["type"].rpartition(":")[2]


def posts(port, caller):
    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    return ask(port, "POST", "/v1/intakes", json.dumps(MINIMAL), headers)[0]


def test_24_stalled_bodies_of_one_key_leave_the_others_their_threads(port, caller):
    stalling, other = caller("submitter", facility="city"), caller("submitter", facility="hills")
    with ExitStack() as opened:
        stalled = [opened.enter_context(begin(port, stalling.key)) for _ in range(24)]
        assert [posts(port, other) for _ in range(10)] == [202] * 10
        assert ask(port, "GET", "/health/live")[0] == 200
        refused = [each for each in stalled if select.select([each], [], [], 0)[0]]
        assert len(refused) >= 16  # the others hold the places of their key
        assert {status_of(each) for each in refused} == {(429, "too-many-incomplete-bodies")}


def ended(connection):
    """Return the status with which the server closed the connection; 0 where it closed before the answer was there."""
    answer = b""
    with suppress(ConnectionResetError):
        while more := connection.recv(4096):
            answer += more
    return int(answer.split()[1]) if answer else 0


def test_a_body_that_stops_is_ended_at_its_deadline_and_its_place_is_free_again(port, submitter):
    with ExitStack() as opened:
        stalled = [opened.enter_context(begin(port, submitter.key)) for _ in range(8)]
        answers = [ended(each) for each in stalled]  # not one of them closes its end
        assert answers.count(429) == 4  # the others hold the places of their key
        assert set(answers) - {429} <= {0, 408}
        assert 408 in answers
        assert posts(port, submitter) == 202


def test_a_body_that_comes_byte_by_byte_has_the_same_deadline(port, submitter):
    with closing(begin(port, submitter.key)) as trickling:
        sent = 0
        with suppress(ConnectionError):
            while not select.select([trickling], [], [], 0.1)[0]:
                trickling.sendall(b" ")
                sent += 1
                assert sent < 600  # the deadline is a hundred
        assert ended(trickling) in {0, 408}


def test_without_a_key_no_body_is_waited_for(port):
    for path, kind in (("/v1/intakes", "application/json"), ("/v1/intakes/batch", "application/x-ndjson")):
        with closing(begin(port, "rk_none_none", path=path, kind=kind)) as stalled:
            stalled.settimeout(5)
            assert status_of(stalled) == (401, "unauthorized")


def test_1100_idle_sockets_keep_no_one_from_posting(port, submitter):
    with ExitStack() as opened:
        for _ in range(1_100):
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        began = time.monotonic()
        assert posts(port, submitter) == 202
        assert time.monotonic() - began < 5  # they are closed after ten seconds


def test_a_form_that_is_sent_whole_is_taken_while_other_bodies_of_its_key_stall(port, submitter):
    with ExitStack() as opened:
        for _ in range(12):
            opened.enter_context(begin(port, submitter.key))
        time.sleep(2 * STALL_SECONDS)
        assert [posts(port, submitter) for _ in range(10)] == [202] * 10


def allowed(limits, opened, *, key, address):
    """Begin a body; return the status of its answer when it is overdue, and whether it has its full time."""
    allowance = opened.enter_context(limits.reading(key=key, address=address, seconds=10))
    return allowance.overdue.status, allowance.seconds == 10


def test_the_places_of_a_key_of_an_address_and_of_all():
    limits = BodyLimits(16)
    with ExitStack() as opened:
        assert {allowed(limits, opened, key="a", address="1") for _ in range(4)} == {(408, True)}
        assert allowed(limits, opened, key="a", address="2") == (429, False)
        assert {allowed(limits, opened, key=f"b{number}", address="1") for number in range(4)} == {(408, True)}
        assert allowed(limits, opened, key="c", address="1") == (429, False)
        assert {allowed(limits, opened, key=f"d{number}", address=f"{number + 3}") for number in range(4)} == {
            (408, True)
        }
        assert allowed(limits, opened, key="e", address="9") == (503, False)
    with ExitStack() as opened:
        assert {allowed(limits, opened, key="a", address="1") for _ in range(4)} == {(408, True)}


TRUSTED = (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),
    ],
)
def test_the_client_is_who_a_trusted_proxy_says(peer, forwarded, client):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = Request(EnvironBuilder(environ_base={"REMOTE_ADDR": peer}, headers=headers).get_environ())
    assert client_address(request, TRUSTED) == client
    assert client_address(request, ()) == peer


@pytest.mark.parametrize(("host", "warns"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104
def test_a_listener_that_others_reach_says_that_it_is_plain_http(host, warns, environment):
    port = free_port()
    serving = SERVE.replace('"127.0.0.1", int(sys.argv[1])', f'"{host}", int(sys.argv[1]), insecure=True')
    with program([sys.executable, "-c", serving, str(port)], env=environment) as served:
        wait_until_it_listens(port)
        assert served.stop() == 0
        assert ("listener.plain_http" in "".join(served.said)) == warns
