"""Runs the API server until it is stopped: granian's listener, and one worker process with blocking threads.

The application is made inside the worker process, so no database connection is ever inherited across a fork.
"""

import multiprocessing
import os
import resource
import signal
import threading
from functools import partial
from importlib import import_module
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import structlog
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server import Server

from shared.platform.logs import configure_logs
from shared.platform.settings import Settings
from shared.platform.transport.listener import check_listener, is_loopback

if TYPE_CHECKING:
    from flask import Flask

log = structlog.get_logger(__name__)

TARGET = "services.api.wsgi"  # imported by name, so that the listener itself stays small
STOP_SECONDS = 5  # for requests that are under way; what is left is cut off
HEADER_MILLISECONDS = 10_000  # within which a request's headers have to be there
MAX_HEADER_BYTES = 16 * 1024  # of a request line and its headers; more is 431
BACKLOG = 1024
MAX_CONNECTIONS = 8192  # beyond that new ones wait in the backlog; an idle one costs a descriptor and a few KB
SPARE_DESCRIPTORS = 256  # for the database, the broker, files and threads


def serve(settings: Settings, host: str, port: int, *, insecure: bool = False) -> None:
    """Serve in the foreground, over TLS where the settings name a certificate.

    SIGTERM and SIGINT let requests end, and stop. Raises PlainHttpError where identities would pass in the clear, and
    SystemExit if the worker dies.
    """
    configure_logs(settings)
    check_listener(host, settings.tls_certificate_file, settings.tls_key_file, insecure=insecure)
    if settings.tls_certificate_file is None and not is_loopback(host):
        log.warning("listener.plain_http", host=host)  # others can read what passes, unless TLS ends before it
    server = Server(
        target=f"{TARGET}:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=MAX_HEADER_BYTES),
        ssl_cert=settings.tls_certificate_file,
        ssl_key=settings.tls_key_file,
        ssl_protocol_min=SSLProtocols.tls12,  # of TLS 1.2 it has ECDHE with AEAD alone
        workers=1,  # a second one costs memory and gains little on two cores; compose runs several containers instead
        blocking_threads=settings.api_threads + settings.event_streams,  # a stream never takes a request's thread
        backlog=BACKLOG,
        backpressure=_connections(),
        workers_kill_timeout=STOP_SECONDS,
        log_enabled=False,  # each request has its own log line
    )
    server.serve(target_loader=partial(create_in_worker, settings), wrap_loader=False)


def create_in_worker(settings: Settings) -> "Flask":
    """Return the application of a worker process, which ends when its parent does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), name="orphan-guard", daemon=True).start()
    application: Flask = import_module(TARGET).application(settings)
    return application


def _connections() -> int:
    """Return how many connections may be open at once, having raised the limit of descriptors as far as allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_DESCRIPTORS
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(BACKLOG // 2, limit - SPARE_DESCRIPTORS)


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
