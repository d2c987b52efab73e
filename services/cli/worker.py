"""`referrals worker`: this process becomes the worker of one lane."""

import click

from services.cli.settings import settings_or_exit
from services.worker.main import run_worker
from shared.task_queues import Lane

LANES: dict[str, Lane] = {"urgent": "priority", "routine": "routine"}


@click.command()
@click.argument("name", type=click.Choice(list(LANES)))
def worker(name: str) -> None:
    """Triage what waits in one lane, with settings from the environment."""
    settings_or_exit()
    run_worker(LANES[name])
