"""Connects to destinations: to checked addresses alone, against SSRF, and within one deadline.

A name is resolved once and every address it has must be one that may be spoken to; the connection goes to exactly such
an address, so nothing that the name says later can lead elsewhere. httpcore's time-outs are for each operation; here
each operation gets what is left of the deadline, so a byte a second gains nobody time.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from concurrent.futures import TimeoutError as NoAnswerError
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore
from httpcore import NetworkBackend, NetworkStream

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[Address]]

# Where clouds tell a machine its own secrets; those that are link-local anyway are not repeated here.
METADATA = frozenset(
    map(ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
THIS_NETWORK = ip_network("0.0.0.0/8")


class AddressRefusedError(Exception):
    """A name that leads, with one of its addresses, to where nothing may be sent."""


class NotResolvedError(Exception):
    """A name that has no address, or for which no answer came in time."""


def may_be_spoken_to(address: Address, *, loopback: bool) -> bool:
    """Say whether a department's system may be at `address`; private ones are what a hospital has."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return may_be_spoken_to(inner, loopback=loopback)
    if address.is_loopback:
        return loopback
    never = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    return not (never or address in METADATA or (isinstance(address, IPv4Address) and address in THIS_NETWORK))


def resolve(host: str, port: int) -> list[Address]:
    """Return every address of `host`; raise OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))


class Deadline:
    """The moment by which an attempt has to have ended."""

    def __init__(self, seconds: float) -> None:
        """Begin to count now."""
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raise httpcore's ReadTimeout when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


class CheckedNetwork(NetworkBackend):
    """Connects by TCP to checked addresses alone; raises AddressRefusedError and NotResolvedError."""

    def __init__(self, deadline: Deadline, resolvers: Executor, resolve: Resolve, *, loopback: bool) -> None:
        """Resolve names in `resolvers`: the system's resolver knows no time-out, and is left behind at the deadline."""
        self._deadline, self._resolvers, self._resolve, self._loopback = deadline, resolvers, resolve, loopback
        self._tcp = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Return the connection to the first address of `host` that takes one."""
        failure: Exception = httpcore.ConnectError()
        for address in self._checked(host, port):
            try:
                stream = self._tcp.connect_tcp(str(address), port, self._deadline.left(), local_address, socket_options)
                return TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[Address]:
        try:
            addresses = self._resolvers.submit(self._resolve, host, port).result(self._deadline.left())
        except (OSError, UnicodeError, NoAnswerError):
            raise NotResolvedError from None
        if not all(may_be_spoken_to(address, loopback=self._loopback) for address in addresses):
            raise AddressRefusedError
        return addresses


class TimedStream(NetworkStream):
    """A connection whose every operation ends by the deadline."""

    def __init__(self, stream: NetworkStream, deadline: Deadline) -> None:
        """Wrap what httpcore connected."""
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Return what has come, at most `max_bytes`."""
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send all of `buffer`."""
        self._stream.write(buffer, self._deadline.left())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> NetworkStream:
        """Return the connection with TLS on top of it."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """Return what httpcore asks of the connection."""
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        """Close it."""
        self._stream.close()
