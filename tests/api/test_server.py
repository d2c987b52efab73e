"""The API as it is served: over real sockets, started and stopped as a process."""

import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from statistics import median

import pytest

from tests.api.test_intakes import MINIMAL
from tests.cases import case_for
from tests.program import all_gone, descendants, program

SERVE = """
import sys
from services.api.server import serve
from shared.platform.settings import load_settings
serve(load_settings(), "127.0.0.1", int(sys.argv[1]))
"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def server(environment, submitter):
    """A served API: its program, its port, and headers with a key."""
    port = free_port()
    with program([sys.executable, "-c", SERVE, str(port)], env=environment) as served:
        wait_until_it_listens(port)
        headers = {"Authorization": f"Bearer {submitter.key}", "Content-Type": "application/json"}
        yield served, port, headers


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return ask(port, "GET", "/health/live")
        except OSError:
            time.sleep(0.05)
    raise AssertionError("it never listened")


def ask(port, method, path, content=None, headers=None, **options):
    """Return status, headers and body of one request on a connection of its own."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, content, headers or {}, **options)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def test_it_serves(server):
    _, port, headers = server
    status, answered, content = ask(port, "POST", "/v1/intakes", json.dumps(MINIMAL), headers)
    assert status == 202
    assert answered["Location"] == json.loads(content)["links"]["self"]
    assert ask(port, "GET", answered["Location"], headers=headers)[0] == 200
    status, _, content = ask(port, "GET", "/health/ready")
    assert (status, json.loads(content)["status"]) == (200, "ready")


def test_a_body_in_chunks_is_counted_as_it_comes(server):
    _, port, headers = server
    form = json.dumps(MINIMAL).encode()
    for padding, expected in ((0, 202), (65_536 - len(form), 202), (65_537 - len(form), 413), (1_000_000, 413)):
        chunks = iter([form, b" " * padding])
        assert ask(port, "POST", "/v1/intakes", chunks, headers, encode_chunked=True)[0] == expected
        assert ask(port, "POST", "/v1/intakes", form + b" " * padding, headers)[0] == expected


def test_64_clients_with_one_key_make_one_intake(server):
    _, port, headers = server
    content, named = json.dumps(MINIMAL), headers | {"Idempotency-Key": "k1"}
    with ThreadPoolExecutor(64) as crowd:
        answers = list(crowd.map(lambda _: ask(port, "POST", "/v1/intakes", content, named), range(64)))
    assert {status for status, _, _ in answers} == {202}
    assert len({content for _, _, content in answers}) == 1


def test_an_intake_is_answered_within_milliseconds(server):
    _, port, headers = server
    content = json.dumps(case_for("urgent").body())
    took = []
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        for _ in range(200):
            began = time.perf_counter()
            connection.request("POST", "/v1/intakes", content, headers)
            assert connection.getresponse().read()
            took.append(time.perf_counter() - began)
    assert median(took) < 0.1  # seconds; 0.003 when nothing else runs


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to(number, server):
    served, port, _ = server
    family = descendants(served.process.pid)
    assert len(family) == 1
    with closing(HTTPConnection("127.0.0.1", port)) as idle:
        idle.request("GET", "/health/live")
        assert idle.getresponse().read()
        began = time.monotonic()
        assert served.stop(number) == 0
    assert time.monotonic() - began < 8
    assert all_gone(family, seconds=1)


def test_a_request_under_way_is_answered_before_it_stops(server):
    served, port, headers = server
    content = json.dumps(case_for("urgent").body())
    with ThreadPoolExecutor(1) as sender:
        waiting = sender.submit(ask, port, "POST", "/v1/intakes", content, headers | {"Prefer": "wait=2"})
        time.sleep(0.5)
        assert served.stop() == 0
        assert waiting.result()[0] == 202


def test_a_worker_whose_parent_was_killed_ends_too(server):
    served, _, _ = server
    family = descendants(served.process.pid)
    served.process.kill()
    assert all_gone(family, seconds=10)


def test_a_server_whose_worker_was_killed_ends_with_an_error(server):
    served, _, _ = server
    (worker,) = descendants(served.process.pid)
    os.kill(worker, signal.SIGKILL)
    assert served.wait() == 1
