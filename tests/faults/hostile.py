"""Clients that do what no client should: each is refused or cut off, has no effect, and holds up nobody else."""

import json
import random
import socket
import time
from contextlib import ExitStack, suppress

from tests.api.test_strict_json import NOT_STRICT
from tests.cases import case_for
from tests.driver.client import QUEUES, Client
from tests.driver.forms import CANARY, form_of

from .fault import Fault, Scene
from .service import wait_until

SLOW_SOCKETS = 200
INJECTED = '\x1b[31m{"level":"info"}'
BODY = json.dumps(form_of(case_for("urgent"), f"{CANARY}-hostile")).encode()
CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
ENDLESS = 128  # chunks, 2 MiB of them, and never a last one
MUTATIONS = (b"", b"\0", b"\xff", b'"', b"{", b"[[[[", b"null", b"1e999", b"\\ud800", b"-")


def head(hospital: Client, *headers: str) -> bytes:
    """Return the head of a post, with these headers beside the usual ones."""
    usual = ("Host: psoas", f"Authorization: Bearer {hospital.key}", "Content-Type: application/json")
    return "\r\n".join(("POST /v1/intakes HTTP/1.1", *usual, *headers, "", "")).encode()


def exchange(hospital: Client, data: bytes, *, seconds: float = 1) -> bytes:
    """Send bytes, then no more; return what comes back until the other side closes or says nothing for a while."""
    received = b""
    with socket.create_connection(("127.0.0.1", hospital.port), timeout=seconds) as connection, suppress(OSError):
        connection.sendall(data)
        while part := connection.recv(65_536):
            received += part
    return received


def hostile_bodies(scene: Scene) -> None:
    """Bodies that are no strict JSON are refused; forms with a piece broken are refused, or stored as 202 says."""
    (tenant,) = scene.service.tenants(1)
    chance = random.Random(4)  # noqa: S311 - the same bodies in every run
    assert {posted(tenant.hospital, body) for body in NOT_STRICT.values()} == {400}
    end, taken = time.monotonic() + scene.seconds, 0
    while time.monotonic() < end:
        status = posted(tenant.hospital, mutated(chance))
        assert status < 500, "a broken form is answered as an error of ours"
        taken += status == 202
    wait_until(lambda: sum(len(tenant.department.worklist(queue)) for queue in QUEUES) == taken, "as many referrals")


def posted(hospital: Client, body: bytes) -> int:
    """Return the status of the answer to `body`."""
    return status_of(exchange(hospital, head(hospital, f"Content-Length: {len(body)}", "Connection: close") + body))


def status_of(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


def mutated(chance: random.Random) -> bytes:
    """Return the form with a few bytes of it replaced."""
    start = chance.randrange(len(BODY))
    return BODY[:start] + chance.choice(MUTATIONS) + BODY[start + chance.randrange(1, 6) :]


def lying_lengths(scene: Scene) -> None:
    """Bodies shorter and longer than they say, of two lengths at once, of chunks that never end, and two in one go."""
    (tenant,) = scene.service.tenants(1)
    end = time.monotonic() + scene.seconds
    while time.monotonic() < end:
        for headers, body, allowed in (
            ((f"Content-Length: {len(BODY) + 100}",), BODY, {0, 400, 408}),
            ((f"Content-Length: {len(BODY) - 100}",), BODY, {400}),
            (("Content-Length: 5", f"Content-Length: {len(BODY)}"), BODY, {400}),
            (("Content-Length: -1",), BODY, {400}),
            (("Transfer-Encoding: chunked", "Content-Length: 5"), b"0\r\n\r\n", {400}),
            (("Transfer-Encoding: chunked",), CHUNK * ENDLESS, {0, 400, 413}),
        ):
            assert status_of(exchange(tenant.hospital, head(tenant.hospital, *headers) + body)) in allowed, headers
    assert [tenant.department.worklist(queue) for queue in QUEUES] == [[]] * len(QUEUES)
    twice = head(tenant.hospital, f"Content-Length: {len(BODY)}") + BODY
    assert exchange(tenant.hospital, twice * 2).count(b"HTTP/1.1 202") == 2
    wait_until(lambda: len(tenant.department.worklist("urgent")) == 2, "two referrals")


def slow_sockets(scene: Scene) -> None:
    """Many senders stop in the middle of a head. Half-sent bodies are nginx's to hold: see tests/compose."""
    (tenant,) = scene.service.tenants(1)
    with ExitStack() as stalled:
        for _ in range(SLOW_SOCKETS):
            sender = stalled.enter_context(socket.create_connection(("127.0.0.1", scene.service.port)))
            sender.sendall(head(tenant.hospital)[:60])
        time.sleep(scene.seconds)


def log_injection(scene: Scene) -> None:
    """Line breaks, colours and whole log lines wherever a client may choose: each line stays one, and JSON."""
    (tenant,) = scene.service.tenants(1)
    before = len(scene.service.said())
    for name in ("X-Request-Id", "traceparent", "Idempotency-Key", "User-Agent", "Prefer"):
        assert tenant.hospital.request("GET", "/v1/intakes/none", None, **{name: INJECTED}).status < 500
    for path in ("/%0d%0a%1b[31m", "/v1/queues/%7b%22level%22%7d/referrals"):
        assert tenant.department.request("GET", path).status == 404
    time.sleep(scene.seconds)
    lines = [line.partition("| ")[2] for line in scene.service.said()[before:] if line.startswith("api ")]
    assert lines
    assert all(isinstance(json.loads(line), dict) and "\x1b" not in line for line in lines)


FAULTS = (
    Fault("hostile bodies", hostile_bodies, short=1.5),
    Fault("lying lengths", lying_lengths, short=1.5),
    Fault("200 slow sockets", slow_sockets, short=2),
    Fault("log injection", log_injection, short=1, stated=1),
)
