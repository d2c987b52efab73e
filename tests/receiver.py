"""A department's own system that behaves, or misbehaves in every way there is: it records what it is sent."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import responses
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from standardwebhooks import Webhook

LONG_SECONDS = 60  # far beyond any deadline
GIGABYTE = 2**30
CHUNK = bytes(64 * 1024)


@dataclass(frozen=True)
class Received:
    """A request as it came: which webhook, its headers and its exact body, and when by `time.monotonic()`."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Return the payload; raise if the signature is not of `secret`."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers every request as `answer` says at that moment; the whole requests that it was sent are in `received`."""

    def __init__(self) -> None:
        self.answer: Callable[[socket.socket], None] = status(200)
        self.received: list[Received] = []
        self.sent_bytes = 0  # of answers, until the caller hung up
        self.open = 0  # connections now
        self.most_open = 0
        self._lock = threading.Lock()
        receiver = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                receiver.handle(self)

        class Server(ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def ids(self) -> list[str]:
        """Return the webhook ids in the order in which they came."""
        return [each.webhook_id for each in self.received]

    def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        """Return what was received once it is `count` requests."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} were received"
            time.sleep(0.01)
        return list(self.received)

    def handle(self, handler: StreamRequestHandler) -> None:
        with self._lock:
            self.open += 1
            self.most_open = max(self.open, self.most_open)
        try:
            with suppress(OSError):
                received = read(handler)
                with self._lock:
                    self.received.append(received)
                self.answer(Counting(self, handler.connection))  # type: ignore[arg-type]
        finally:
            with self._lock:
                self.open -= 1

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Counting:
    """A connection that counts what is sent over it."""

    def __init__(self, receiver: Receiver, connection: socket.socket) -> None:
        self._receiver, self._connection = receiver, connection

    def sendall(self, content: bytes) -> None:
        self._connection.sendall(content)
        self._receiver.sent_bytes += len(content)

    def recv(self, size: int) -> bytes:
        return self._connection.recv(size)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Yield a receiver on a port of its own, which hears of nothing any more at the end."""
    started = Receiver()
    try:
        yield started
    finally:
        started.close()


class CutOffError(OSError):
    """The caller went before its request was whole: an attempt, but no delivery."""


def read(handler: StreamRequestHandler) -> Received:
    """Return the request that comes over a connection; raise CutOffError if it ends before it is whole."""
    _, path, _ = line_of(handler).split()
    headers: dict[str, str] = {}
    while line := line_of(handler):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers["content-length"])
    body = handler.rfile.read(length)
    if len(body) < length:
        raise CutOffError(f"{len(body)} of {length} bytes")
    return Received(path, headers, body)


def line_of(handler: StreamRequestHandler) -> str:
    """Return the next line of a head, without its end."""
    line = handler.rfile.readline()
    if not line.endswith(b"\n"):
        raise CutOffError("in the head")
    return line.decode().strip()


def status(code: int, **headers: str) -> Callable[[socket.socket], None]:
    """Return the behaviour that answers with a status, and with headers (`retry_after="3"`)."""
    content = json.dumps({"status": code}).encode()
    lines = [f"HTTP/1.1 {code} {responses.get(code, 'Unknown')}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + content
    return lambda connection: connection.sendall(whole)


def garbage(connection: socket.socket) -> None:
    """Answer with what is no HTTP."""
    connection.sendall(b"\x00\xff\x00 what?\r\n\r\n" * 20)


def hang(connection: socket.socket) -> None:
    """Say nothing until the caller has gone."""
    connection.recv(1)


def hang_up(_: socket.socket) -> None:
    """Close without an answer."""


def drip(connection: socket.socket) -> None:
    """Send headers that never end, a byte every tenth of a second."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * int(LONG_SECONDS * 10):
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def drip_body(connection: socket.socket) -> None:
    """Say 200 at once, and then send the body a byte every tenth of a second."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(int(LONG_SECONDS * 10)):
        connection.sendall(b"x")
        time.sleep(0.1)


def flood(connection: socket.socket) -> None:
    """Say 200 and send a gigabyte."""
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
    for _ in range(GIGABYTE // len(CHUNK)):
        connection.sendall(CHUNK)


def in_turn(*behaviours: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Return the behaviour that answers the first request as the first one does, and so on; then as the last one."""
    left = list(behaviours)
    return lambda connection: (left.pop(0) if len(left) > 1 else left[0])(connection)
