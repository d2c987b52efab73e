"""The `referrals` command, but some forms do harm wherever they are triaged, and others cannot be screened.

All processes of `up` are forks of the one in which this is so, and in all else as they would be.
"""

from services.api.forms import screening
from services.cli.main import main
from services.worker.triage import app as worker_app
from services.worker.watchman import watchman
from tests.worker.misbehave import COMMAND, misbehave

UNSCREENED = 0.125  # the pain score of a form on which screening fails
screened = screening.screen


def screen(form, protocol):
    """Screen like the API, but for one score."""
    if form.answers.get("pain_score") == UNSCREENED:
        raise ValueError("the answer, which must not be repeated")
    return screened(form, protocol)


if __name__ == "__main__":
    screening.screen = screen
    worker_app.triage = misbehave
    worker_app.COMMAND = watchman.COMMAND = COMMAND
    main()
