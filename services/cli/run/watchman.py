"""`referrals watchman`: this process keeps watch."""

import click

from services.cli.support.settings import settings_or_exit
from services.worker.watchman.watchman import run_watchman


@click.command()
def watchman() -> None:
    """Run the watchman, with settings from the environment."""
    run_watchman(settings_or_exit())
