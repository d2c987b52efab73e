"""Runs a worker whose attempts to deliver may take longer than a test waits for one."""

from services.worker.delivery.sender import Sender

ATTEMPT_SECONDS = 70


def run_worker(name: str) -> None:
    """Run the worker called `name` in this process."""
    from services.worker.main import run_worker as run  # so that a test which reads the number loads no worker

    Sender.__init__.__kwdefaults__["seconds"] = ATTEMPT_SECONDS
    run(name)
