"""Describes the embedded Valkey to the supervisor: its command and when it is ready."""

import re
import socket
from functools import partial
from pathlib import Path

from services.embedded.supervisor.service import Account, Service

CONFIGURATION = {
    "port": "0",  # the socket alone
    "unixsocketperm": "700",
    "dir": ".",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "auto-aof-rewrite-min-size": "8mb",  # what is kept is under 2 MB; the rest of the file is what was taken long ago
    "save": "",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",  # refusing a message is an outage that shows; dropping one would not
    "loglevel": "warning",
}

# The kernel's memory settings are the host's affair: what is kept here is under 2 MB, and can be lost.
ROUTINE = re.compile(r"WARNING Memory overcommit must be enabled|Received SIGTERM scheduling|is now ready to exit")


def valkey_service(data: Path, sockets: Path, program: Path, account: Account | None) -> Service:
    """Return the server that keeps its file in `data` and listens in the folder `sockets`."""
    path = sockets / "valkey.sock"
    settings = CONFIGURATION | {"unixsocket": str(path)}
    return Service(
        name="valkey",
        command=[str(program), *(part for name, value in settings.items() for part in (f"--{name}", value))],
        environment={},
        ready=partial(_is_ready, path),
        folder=data,
        account=account,
        stop_phase=2,
        routine=ROUTINE,
    )


def redis_url(sockets: Path) -> str:
    """Return the REDIS_URL of the server that listens in `sockets`."""
    return f"unix://{sockets / 'valkey.sock'}"


def _is_ready(path: Path, _pid: int) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
