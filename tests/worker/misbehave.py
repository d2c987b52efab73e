"""Triage as it must never be: it raises, hangs, freezes or kills its process when the form's pain score says so.

Run as a program, it is the child in which forms are decided alone, misbehaving in the same way.
"""

import os
import signal
import sys

from services.worker.triage import sandbox_process
from shared.clinical.triage import triage

RAISES, HANGS, KILLS, FREEZES = 0.25, 0.5, 0.75, 0.875
COMMAND = (sys.executable, "-m", "tests.worker.misbehave")


def misbehave(form, protocol):
    """Decide like triage, but for the four scores."""
    score = form.answers.get("pain_score")
    if score == RAISES:
        raise ValueError("the answer, which must not be repeated")
    while score == HANGS:
        pass
    if score == KILLS:
        os._exit(9)
    if score == FREEZES:
        os.kill(os.getpid(), signal.SIGSTOP)
    return triage(form, protocol)


if __name__ == "__main__":
    sandbox_process.triage = misbehave
    sandbox_process.main()
