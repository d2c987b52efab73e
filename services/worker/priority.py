"""Lets a process give way: where all cannot run at once, what is not urgent waits for posts and for red flags."""

import os
import time
from contextlib import suppress
from pathlib import Path

NICENESS = 5  # about a third of the processor time that an ordinary process gets; with 10 triage nearly stops
ATTEMPTS, PAUSE = 20, 0.11
_GROUP = Path("/proc/self/autogroup")


def lower_priority() -> None:
    """Run this process and those it will start after others that want the processor.

    The niceness is added to what the process was started with (`nice make run`): no user may take any of that away.
    """
    os.nice(NICENESS)
    # Linux may share the processor out among sessions first. Then niceness counts inside of one alone.
    if os.getsid(0) == os.getpid():  # never a shell's session, in which others run
        with suppress(OSError):
            _give_way_as_session()


def _give_way_as_session() -> None:
    for _ in range(ATTEMPTS):
        try:
            _GROUP.write_text(str(NICENESS))
        except BlockingIOError:  # of all users but root the kernel takes one change in a tenth of a second
            time.sleep(PAUSE)
        else:
            return
