"""Serves a baseline with the server, the settings and the number of threads with which ours is served."""

import os

from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from services.api.server import BACKLOG

HOST = "127.0.0.1"


def serve(factory: str, port: int) -> None:
    """Serve the application that `factory` returns until SIGTERM."""
    Server(
        factory,
        factory=True,
        address=HOST,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=1,
        blocking_threads=int(os.environ["API_THREADS"]),
        backlog=BACKLOG,
        log_enabled=False,
    ).serve()
