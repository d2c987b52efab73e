"""Sends requests over kept-alive connections and notes how long each answer took.

One thread and no HTTP library, so that on a small machine the service gets the processors: a request is bytes that are
ready before, an answer is read as far as its length says. What the client itself used is part of its result.
"""

import itertools
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

Address = tuple[str, int]

CHUNK = 65_536
GATE_SECONDS = 0.02  # how often a closed gate is tried again
MAX_SECONDS = 30


class NoAnswerError(Exception):
    """The server closed a connection, or let a request wait for more than MAX_SECONDS."""


@dataclass(slots=True)
class Load:
    """What came of a load: `latencies` and `seconds` in seconds, `own_seconds` of processor time for the client."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    own_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Return the answers per second."""
        return len(self.latencies) / self.seconds

    def note(self, status: int, latency: float) -> None:
        """Count one answer."""
        self.statuses[status] += 1
        self.latencies.append(latency)


class Connection:
    """One kept-alive connection, with at most one request under way."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=MAX_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.since = 0.0
        self._received = b""

    def send(self, request: bytes, since: float) -> None:
        """Send a whole request whose latency counts from `since`."""
        self.since = since
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bytes] | None:
        """Read what is there; return status and body once the answer is whole."""
        part = self.socket.recv(CHUNK)
        if not part:
            raise NoAnswerError("the server closed the connection")
        self._received += part
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return None
        self._received = b""
        return int(head[9:12]), body

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send `request` and wait for its answer."""
        self.send(request, 0.0)
        while (answer := self.receive()) is None:
            pass
        return answer

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def drive(
    addresses: Sequence[Address],
    requests: Iterator[bytes],
    *,
    seconds: float,
    clients: int = 16,
    rate: float | None = None,
    gate: Callable[[], bool] = lambda: True,
) -> Load:
    """Send `requests` over `clients` connections to `addresses` in turn for `seconds`, or until there are no more.

    Without `rate` each client sends its next request when it has its answer. With `rate`, in requests a second, each
    has its time, and its latency counts from then even if it had to wait for a free client. While `gate` says no,
    none is sent.
    """
    load = Load()
    with ExitStack() as stack:
        chosen = itertools.islice(itertools.cycle(addresses), clients)
        idle = [stack.enter_context(closing(Connection(address))) for address in chosen]
        selector = stack.enter_context(selectors.DefaultSelector())
        for connection in idle:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        began, own = time.perf_counter(), time.thread_time()
        for due in _due(began, seconds, rate):
            _take(load, selector, idle, until=due, gate=gate)
            request = next(requests, None)
            if request is None:
                break
            idle.pop(0).send(request, due or time.perf_counter())  # each in turn: servers close what rests
        while len(idle) < clients:
            _answers(load, selector, idle, MAX_SECONDS)
        load.seconds, load.own_seconds = time.perf_counter() - began, time.thread_time() - own
    return load


def _due(began: float, seconds: float, rate: float | None) -> Iterator[float]:
    """Yield the moment of each request in turn; 0 is as soon as a client is free."""
    sent = 0
    while (sent / rate if rate else time.perf_counter() - began) < seconds:
        yield began + sent / rate if rate else 0.0
        sent += 1


def _take(
    load: Load, selector: selectors.BaseSelector, idle: list[Connection], *, until: float, gate: Callable[[], bool]
) -> None:
    """Take answers until the moment `until` has come, a client is free and the gate open."""
    while True:
        early = until - time.perf_counter()
        if early <= 0 and idle and gate():
            return
        wait_seconds = early if early > 0 else GATE_SECONDS
        _answers(load, selector, idle, wait_seconds if idle else MAX_SECONDS)


def _answers(load: Load, selector: selectors.BaseSelector, idle: list[Connection], wait_seconds: float) -> None:
    """Wait for answers, at most `wait_seconds` seconds, and note those that are whole."""
    ready = selector.select(wait_seconds)
    if not ready and wait_seconds == MAX_SECONDS:
        raise NoAnswerError(f"no answer in {MAX_SECONDS} s")
    for key, _ in ready:
        connection: Connection = key.data
        if answer := connection.receive():
            load.note(answer[0], time.perf_counter() - connection.since)
            idle.append(connection)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise NoAnswerError("an answer without Content-Length")
