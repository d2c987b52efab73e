"""The `referrals` command, but some forms do harm wherever they are triaged, and others cannot be screened.

`up` starts its processes by this very program, so that all of them are as they would be, but for what harms.
"""

import sys

from services.api import sealing
from services.cli import processes
from services.cli.main import main
from services.worker import watchman
from tests.worker.misbehave import COMMAND
from tests.worker.misbehaving_worker import run_worker

UNSCREENED = 0.125  # the pain score of a form on which screening fails
TRIAGING = ("urgent", "routine")


def screen(form, protocol):
    """Screen like the API, but for one score."""
    if form.answers.get("pain_score") == UNSCREENED:
        raise ValueError("the answer, which must not be repeated")
    return screened(form, protocol)


screened = sealing.screen

if __name__ == "__main__":
    sealing.screen = screen
    watchman.COMMAND = COMMAND
    processes.COMMAND = (sys.executable, "-m", "tests.faults.misbehaving")
    match sys.argv[1:]:
        case ["worker", name] if name in TRIAGING:
            run_worker(name)
        case _:
            main()
