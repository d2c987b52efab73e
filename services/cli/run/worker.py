"""`referrals worker`: this process is the worker of some task queues."""

import click

from services.cli.support.settings import settings_or_exit
from services.worker.main import WORKERS, run_worker


@click.command()
@click.argument("name", type=click.Choice(list(WORKERS)))
def worker(name: str) -> None:
    """Run a worker, with settings from the environment."""
    settings_or_exit(WORKERS[name].without)
    run_worker(name)
