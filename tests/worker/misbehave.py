"""Triage as it must never be: it raises, hangs or kills its process when the form's pain score says so.

Run as a program, it is the child in which forms are decided alone, misbehaving in the same way.
"""

import os
import sys
import time

from services.worker import alone
from shared.clinical.triage import triage

RAISES, HANGS, KILLS = 1, 2, 3
COMMAND = (sys.executable, "-m", "tests.worker.misbehave")


def misbehave(form, protocol):
    """Decide like triage, but for the three scores."""
    match form.answers.get("pain_score"):
        case 1:
            raise ValueError("the answer, which must not be repeated: 1")
        case 2:
            time.sleep(60)
        case 3:
            os._exit(9)
    return triage(form, protocol)


if __name__ == "__main__":
    alone.triage = misbehave
    alone.main()
