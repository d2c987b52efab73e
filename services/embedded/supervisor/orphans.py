"""Ends the processes that a dead process left behind.

A killed server or worker leaves children of its own. They would go on with what nobody controls any more, hold the
port, or keep a database from starting again. As the supervisor adopts them, they are easily found: children that it
did not start.
"""

import os
import signal
import time
from collections.abc import Collection
from pathlib import Path


def kill_orphans(known: Collection[int]) -> None:
    """Kill every child of this process that is not `known`, and reap those that have ended."""
    for pid in children_of(os.getpid()).difference(known):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)


def kill_all_orphans(seconds: float) -> None:
    """Kill every child of this process, and what comes to it from those, until there is none or the time is up."""
    deadline = time.monotonic() + seconds
    while children_of(os.getpid()) and time.monotonic() < deadline:
        kill_orphans(known=())
        time.sleep(0.01)


def children_of(pid: int) -> set[int]:
    """Return the process ids of the children of the process `pid`."""
    return {
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    }
