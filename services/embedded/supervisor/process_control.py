"""Ties the life of processes to the supervisor's, and names them, by what Linux offers for it."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

_libc = ctypes.CDLL(None)


def die_with_parent(parent: int, number: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before it becomes its program: the kernel sends it `number` when `parent` dies."""

    def tied() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os.kill(os.getpid(), signal.SIGKILL)

    return tied


def pass_on_no_capability() -> None:
    """Let the program that this process becomes next have none of its capabilities."""
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def adopt_orphans() -> None:
    """Let processes whose parent dies become children of this process, instead of the machine's first process."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_process_name(process: str) -> None:
    """Let `ps` and `top` call this process so: the first 15 letters, for what has no command line of its own."""
    _libc.prctl(PR_SET_NAME, process.encode(), 0, 0, 0)
