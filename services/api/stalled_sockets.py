"""Ends connections whose body is past its deadline, so that the thread that reads it is free again. Linux only.

The server's library offers no deadline for a body and does not say which socket a request came by. So the socket is
found by its peer and by when its last data came. Where another connection could be meant, both are left, and looked at
again: a connection without an overdue body is never ended.
"""

import os
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from services.api.body_limits import Arriving, BodyLimits

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
LATE_SECONDS = 5.0  # how much later than the kernel a thread may have noticed what came, on a busy machine
EARLY_SECONDS = 0.05
_LAST_DATA_RECV = struct.Struct("=52xI")  # tcpi_last_data_recv of struct tcp_info, in milliseconds
_ESTABLISHED = 1


def end_overdue(limits: BodyLimits) -> None:
    """Shut down the receiving half of each connection that certainly has an overdue body."""
    arriving = limits.overdue()
    if not arriving or sys.platform != "linux":
        return
    now = time.monotonic()
    connections = list(_connections({body.peer for body in arriving}))
    try:
        for bodies, last in (
            *((group, group[-1].last) for group in _together(arriving)),
            *_of_each_peer(arriving, now),
        ):
            first, last = bodies[0].last - LATE_SECONDS, last + EARLY_SECONDS
            near = [each for peer, came, each in connections if peer == bodies[0].peer and first <= came <= last]
            if len(near) == len(bodies) and all(now > body.deadline for body in bodies):
                log.warning("bodies.overdue", count=sum(map(_end, near)))
    finally:
        for _, _, connection in connections:
            connection.close()


def _of_each_peer(arriving: Sequence[Arriving], now: float) -> Iterator[tuple[list[Arriving], float]]:
    """Yield all bodies of a peer, for which data may have come until now: a sender may send byte by byte."""
    for peer in {body.peer for body in arriving}:
        yield sorted((body for body in arriving if body.peer == peer), key=lambda body: body.last), now


def _together(arriving: Sequence[Arriving]) -> Iterator[list[Arriving]]:
    """Yield the bodies in groups that cannot be told apart by their peer and the time of their last data."""
    group = list[Arriving]()
    for body in sorted(arriving, key=lambda body: (body.peer, body.last)):
        if group and (body.peer != group[0].peer or body.last - group[-1].last > LATE_SECONDS + EARLY_SECONDS):
            yield group
            group = []
        group.append(body)
    yield group


def _end(connection: socket.socket) -> bool:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        return False  # it has ended meanwhile
    return True


def _connections(peers: Sequence[str] | set[str]) -> Iterator[tuple[str, float, socket.socket]]:
    """Yield peer, time of the last data and a descriptor of its own of each connection of this process."""
    for name in list(Path("/proc/self/fd").iterdir()):
        try:
            if not str(name.readlink()).startswith("socket:"):
                continue
            connection = socket.socket(fileno=os.dup(int(name.name)))
        except OSError:
            continue
        try:
            peer = connection.getpeername()[0] if connection.family in (socket.AF_INET, socket.AF_INET6) else ""
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104) if peer in peers else b""
        except OSError:
            info = b""
        if not info or info[0] != _ESTABLISHED:
            connection.close()
            continue
        yield peer, time.monotonic() - _LAST_DATA_RECV.unpack_from(info)[0] / 1000, connection
