"""Sends one request to a department's system and reads how it was answered: no redirect, no proxy, no cookie, no wait.

Of the answer the status and `Retry-After` count. Its body is read so far that an honest receiver ends well, no further.
"""

import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import httpcore

from services.worker.delivery.network import (
    AddressRefusedError,
    CheckedNetwork,
    Deadline,
    NotResolvedError,
    Resolve,
    resolve,
)

ATTEMPT_SECONDS = 10.0  # to connect, send and read, all together
MAX_BYTES = 64 * 1024  # of an answer
RESOLVERS = 16

_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (NotResolvedError, "name_not_resolved"),
    (AddressRefusedError, "address_refused"),
    (httpcore.TimeoutException, "timed_out"),
    (httpcore.ConnectError, "connect_failed"),
    (httpcore.NetworkError, "connection_lost"),
    (httpcore.RemoteProtocolError, "no_http_answer"),
    (httpcore.LocalProtocolError, "bad_url"),
    (ValueError, "bad_url"),
)
_ANY = tuple(kind for kind, _ in _ERRORS)


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """What came of a request: the status, or the name of the error that kept it from having one."""

    duration_ms: int
    status: int | None = None
    retry_after: str | None = None
    error: str | None = None


class Sender:
    """Posts bodies; safe to share between threads."""

    def __init__(self, *, loopback: bool, seconds: float = ATTEMPT_SECONDS, resolve: Resolve = resolve) -> None:
        """Let this machine itself be spoken to only with `loopback`; every attempt ends after `seconds`."""
        self._loopback, self._seconds, self._resolve = loopback, seconds, resolve
        self._resolvers = ThreadPoolExecutor(RESOLVERS, "resolver")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Created at the first connection by TLS, because it takes megabytes in each process."""
        return ssl.create_default_context()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookResponse:
        """Post `body`, and return what came of it within the deadline; raises nothing that a receiver can cause."""
        begin, deadline = time.monotonic(), Deadline(self._seconds)
        status, retry_after, error = None, None, None
        try:
            status, retry_after = self._post(url, headers, body, deadline)
        except _ANY as failure:
            error = _name(failure)
        return WebhookResponse(round((time.monotonic() - begin) * 1000), status, retry_after, error)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: Deadline) -> tuple[int, str | None]:
        network = CheckedNetwork(deadline, self._resolvers, self._resolve, loopback=self._loopback)
        target = httpcore.URL(url.encode("ascii"))
        if target.scheme not in (b"http", b"https") or not target.host:
            raise ValueError
        tls = self._tls if target.scheme == b"https" else None
        connection = httpcore.HTTPConnection(target.origin, ssl_context=tls, network_backend=network)
        host = {"Host": urlsplit(url).netloc}
        with (
            connection,
            connection.stream("POST", target, headers=[*host.items(), *headers.items()], content=body) as answer,
        ):
            response_headers = {name.lower(): value for name, value in answer.headers}
            with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
                _drop(answer)  # the status has been said, whatever becomes of the rest
            return answer.status, response_headers.get(b"retry-after", b"").decode("latin-1") or None


def _drop(answer: httpcore.Response) -> None:
    read = 0
    for part in answer.iter_stream():
        read += len(part)
        if read >= MAX_BYTES:
            return


def _name(failure: Exception) -> str:
    if isinstance(failure, httpcore.ConnectError) and isinstance(failure.__cause__, ssl.SSLError):
        return "tls_failed"
    return next(name for kind, name in _ERRORS if isinstance(failure, kind))
