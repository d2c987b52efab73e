"""Describes the embedded PostgreSQL to the supervisor: its command, readiness check and clean-up before a start."""

import os
import re
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from services.embedded.servers.cluster import HERE
from services.embedded.supervisor.service import Account, Service

CONFIGURATION = {
    "listen_addresses": "",  # the socket alone
    "unix_socket_permissions": "0700",
    "synchronous_commit": "on",  # an accepted intake is on the disk
    "wal_init_zero": "off",  # a new segment of the log written full of zeros makes every commit wait for 50 ms
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "8MB",  # the rest is in the memory that the system keeps of files, and gives back
    "default_statistics_target": "25",  # ANALYZE holds 300 rows for each: with the 100 of PostgreSQL, 60 MB of forms
    "io_method": "sync",  # and comes from there at once: no need of processes that wait for a disk
    "max_logical_replication_workers": "0",
    "jit": "off",  # no query here is long enough to gain from it
    # What the server did, but no statement, no row and no value: those belong in no log.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_line_prefix": "",
}
# What an ordinary start and stop say. A crash, a recovery and every error are shown.
ROUTINE = re.compile(
    r"^LOG:  (starting PostgreSQL|listening on|database system (was shut down at|is ready|is shut down)|shutting down"
    r"|received (fast|smart) shutdown request|aborting any active transactions|checkpoint (starting|complete)"
    r"|background worker .* exited with exit code 1)"
)
LEFTOVER_SECONDS = 5
OWNER = "psoas"  # of the database and its schema


def postgres_service(data: Path, sockets: Path, programs: Path, account: Account | None, **changes: str) -> Service:
    """Return the server of the cluster in `data`, listening in `sockets`; `changes` overrule CONFIGURATION."""
    settings = CONFIGURATION | {"unix_socket_directories": str(sockets)} | changes
    return Service(
        name="postgres",
        command=[str(programs / "postgres"), "-D", HERE, *(f"--{name}={value}" for name, value in settings.items())],
        environment={},
        ready=partial(_is_ready, data / "postmaster.pid"),
        prepare=partial(clear_leftovers, data),
        folder=data,
        account=account,
        stop_phase=3,
        routine=ROUTINE,
        stop_signal=signal.SIGINT,  # fast shutdown: open sessions are closed, not waited for
    )


def database_url(sockets: Path, password: str, user: str = OWNER) -> str:
    """Return the address of the database for `user`, of the server that listens in `sockets`."""
    return f"postgresql://{user}:{password}@/psoas?host={sockets}"


def clear_leftovers(data: Path) -> None:
    """End every process that a killed server left in `data`, then remove its lock file.

    The caller holds the lock on the home, so no server has a right to be there. The file alone proves nothing:
    its process id may since have been given to another program.
    """
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while pids := list(_processes_in(data)):
        if time.monotonic() > deadline:
            raise OSError(f"processes {pids} still use {data} and cannot be stopped")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _processes_in(data: Path) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").samefile(data) and (entry / "exe").readlink().name.startswith("postgres"):
                    yield int(entry.name)
            except OSError:  # it ended, or is another user's
                continue


def _is_ready(lock_file: Path, pid: int) -> bool:
    try:
        lines = lock_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
