"""Runs the supervisor as a child and ends what a killed supervisor leaves behind (PR_SET_CHILD_SUBREAPER).

The supervisor works in a child of the process that was called. If the supervisor is killed, this process adopts what it
leaves and ends it; if this process is killed, the kernel signals the supervisor, which stops everything in order.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from services.embedded.supervisor.orphans import children_of, kill_orphans
from services.embedded.supervisor.process_control import adopt_orphans, die_with_parent
from services.embedded.supervisor.supervisor import stop_signals

LEFTOVER_SECONDS = 8  # for processes whose supervisor was killed; the kernel has told them to stop


def run_under_subreaper(run: Callable[[], int], as_subreaper: Callable[[], None] = lambda: None) -> int:
    """Call `run` in a process of its own and return its exit code; nothing that it started is left then.

    `as_subreaper` is called in this process, once the other is there.
    """
    subreaper = os.getpid()
    adopt_orphans()
    supervisor = os.fork()
    if supervisor == 0:
        os._exit(_as_supervisor(run, subreaper))
    as_subreaper()
    forwarded = stop_signals()
    for number in forwarded:
        signal.signal(number, lambda *_: os.kill(supervisor, signal.SIGTERM))
    status = os.waitstatus_to_exitcode(os.waitpid(supervisor, 0)[1])
    for number in forwarded:
        signal.signal(number, signal.SIG_IGN)  # what is left is being ended already
    _wait_for_leftovers()
    return status if status >= 0 else 1


def _as_supervisor(run: Callable[[], int], subreaper: int) -> int:
    die_with_parent(subreaper, signal.SIGTERM)()
    adopt_orphans()
    for number in stop_signals():
        signal.signal(number, _leave)  # until the supervisor's loop takes them over
    try:
        return run()
    except SystemExit:
        return 0
    except BaseException:  # noqa: BLE001 - the end of a process; nothing above could still tell of it
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()


def _leave(*_: object) -> None:
    raise SystemExit


def _wait_for_leftovers() -> None:
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while children_of(os.getpid()):
        if time.monotonic() > deadline:
            kill_orphans(known=())
        elif os.waitpid(-1, os.WNOHANG) == (0, 0):
            time.sleep(0.05)
