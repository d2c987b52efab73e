"""A small proxy between the service and a server, on which everything that a network does can be done on purpose.

It listens on TCP and passes on to a Unix socket. `weather` holds from the moment it is set, for open connections too.
"""

import itertools
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHUNK = 65_536
LOOK = 0.02  # seconds between two looks at the weather
IDLE = b"Z\x00\x00\x00\x05I"  # PostgreSQL is ready, and no transaction is open: what was asked is committed


@dataclass(frozen=True)
class Weather:
    """How the network is: clear unless said otherwise."""

    latency: float = 0.0  # seconds that each piece takes
    sliced: int = 0  # bytes of a piece, where it is passed on in slices
    bytes_a_second: int = 0  # at most so many
    cut_after: int = 0  # a connection breaks once so many bytes have come back on it
    black_hole: bool = False  # nothing passes and nobody is told
    half_open: bool = False  # what the server closes, the client still takes for open
    closed: bool = False  # nobody is let in
    loses_replies: int = 0  # one in so many answers after a commit is lost, and its connection


class Proxy:
    """Listens on `port` of the loopback until it is closed."""

    def __init__(self, target: Path) -> None:
        self.weather = Weather()
        self._target = target
        self._clients: set[socket.socket] = set()
        self._servers: set[socket.socket] = set()
        self._commits = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more, and break what is open."""
        self.weather = Weather()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.cut()

    def cut(self) -> None:
        """Break every connection that is open, or only the server's end of it while half-open is the weather."""
        for each in (*([] if self.weather.half_open else self._clients), *self._servers):
            hang_up(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            if self.weather.closed:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.connect(str(self._target))
            self._clients.add(client)
            self._servers.add(server)
            there = threading.Thread(target=self._pass_on, args=(client, server), daemon=True)
            there.start()
            self._pass_on(server, client)
            there.join()
        self._clients.discard(client)
        self._servers.discard(server)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(CHUNK):
                while self.weather.black_hole:
                    time.sleep(LOOK)
                if source in self._servers and self._breaks(passed, data):
                    break
                self._send(target, data)
                passed += len(data)
        while self.weather.half_open:
            time.sleep(LOOK)
        hang_up(source)
        hang_up(target)

    def _breaks(self, passed: int, data: bytes) -> bool:
        weather = self.weather
        if weather.cut_after and passed + len(data) > weather.cut_after:
            return True
        committed = weather.loses_replies and data.endswith(IDLE)
        return bool(committed and next(self._commits) % weather.loses_replies == 0)

    def _send(self, target: socket.socket, data: bytes) -> None:
        weather = self.weather
        size = weather.sliced or len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            pace = len(piece) / weather.bytes_a_second if weather.bytes_a_second else 0
            time.sleep(weather.latency + pace)
            target.sendall(piece)


def hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
