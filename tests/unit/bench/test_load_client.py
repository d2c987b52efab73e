"""The load client: what it sends, when, and what it says of the answers, against a server in this process."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.client import Address, Connection, NoAnswerError, drive

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345"
ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok"
PAUSE = 0.02


def serve(listener: socket.socket, parts: list[bytes], pause: float) -> None:
    """Answer every request on every connection with `parts`, after a pause."""

    def talk(connection: socket.socket) -> None:
        with connection:
            while connection.recv(len(REQUEST)):
                time.sleep(pause)
                for part in parts:
                    connection.sendall(part)

    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


@contextmanager
def server(*parts: bytes, pause: float = 0.0) -> Iterator[Address]:
    """Yield the address of a server that answers so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, list(parts), pause), daemon=True)
        thread.start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_it_sends_all_and_counts_each_answer_by_its_status():
    with server(ANSWER) as address:
        load = drive([address], itertools.repeat(REQUEST, 50), seconds=60, clients=4)
    assert load.statuses == {202: 50}
    assert len(load.latencies) == 50
    assert load.per_second > 50 / 60


def test_it_ends_when_its_time_is_up():
    with server(ANSWER, pause=PAUSE) as address:
        load = drive([address], itertools.repeat(REQUEST), seconds=0.2, clients=2)
    assert 0.2 <= load.seconds < 2
    assert 2 <= len(load.latencies) <= 2 * 0.2 / PAUSE + 2
    assert min(load.latencies) >= PAUSE


def test_an_answer_may_come_in_parts():
    with server(ANSWER[:30], ANSWER[30:-1], ANSWER[-1:]) as address:
        connection = Connection(address)
        assert connection.exchange(REQUEST) == (202, b"ok")
        assert connection.exchange(REQUEST) == (202, b"ok")
        connection.close()


def test_at_a_rate_latency_counts_from_the_time_a_request_had_even_if_no_client_was_free():
    with server(ANSWER, pause=PAUSE) as address:
        load = drive([address], itertools.repeat(REQUEST, 10), seconds=60, clients=1, rate=1_000)
    assert load.latencies == sorted(load.latencies)
    assert load.latencies[-1] >= 9 * PAUSE


def test_at_a_rate_it_sends_no_faster():
    with server(ANSWER) as address:
        load = drive([address], itertools.repeat(REQUEST), seconds=0.2, clients=4, rate=100)
    assert load.statuses == {202: 20}
    assert load.seconds >= 0.19


def test_nothing_is_sent_while_the_gate_is_closed():
    looks = itertools.count()
    with server(ANSWER) as address:
        load = drive([address], itertools.repeat(REQUEST, 1), seconds=60, clients=1, gate=lambda: next(looks) >= 20)
    assert next(looks) > 20
    assert load.statuses == {202: 1}


def test_an_answer_of_no_known_length_is_an_error():
    with server(b"HTTP/1.1 202 Accepted\r\n\r\n") as address, pytest.raises(NoAnswerError, match="Content-Length"):
        drive([address], itertools.repeat(REQUEST, 1), seconds=60, clients=1)
