"""The worker of a lane, but some forms do harm in it and in its child; see tests/worker/misbehave.py."""

from services.worker.main import run_worker as run
from services.worker.triage import app as worker_app
from tests.worker.misbehave import COMMAND, misbehave


def run_worker(name: str) -> None:
    """Run the worker called `name` in this process."""
    worker_app.triage = misbehave
    worker_app.COMMAND = COMMAND
    run(name)
